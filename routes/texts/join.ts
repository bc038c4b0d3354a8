/** The texts of the pages behind a join link. `{name}` is the node, `{group}` the group, `{id}` the node's Jami ID. */

import type { NodeFault } from "../../core/node_api.ts";
import type { Lang } from "./index.ts";

export interface JoinTexts {
  join: string;
  theGroup: string;
  about: string;
  aboutNameless: string;
  jamiId: string;
  jamiIdForm: string;
  where: string;
  invite: string;
  noJamiId: string;
  memberTitle: string;
  member: string;
  invitedTitle: string;
  invited: string;
  nextTitle: string;
  next: string[];
  failed: string;
  notNow: string;
  tooMany: string;
  /** why it was refused */
  refusals: Record<NodeFault, string>;
}

const en: JoinTexts = {
  join: "Join {group}",
  theGroup: "the group",
  about: "You are about to be invited into the group {group} on Jami by {name}.",
  aboutNameless: "You are about to be invited into a group on Jami by {name}.",
  jamiId: "Your Jami ID",
  jamiIdForm: "40 digits and letters from a to f",
  where: "It has 40 digits and letters. In Jami you find it in the settings of your account, or under “Share”.",
  invite: "Invite me",
  noJamiId: "This is no Jami ID: it has 40 digits and letters from a to f.",
  memberTitle: "You are in already",
  member: "This account is a member of {group}. Open Jami to talk.",
  invitedTitle: "You are invited",
  invited: "Now go to Jami.",
  nextTitle: "What happens in Jami",
  next: [
    "{name} may ask to become your contact. Accept, so that the two of you can connect.",
    "The invitation into the group arrives among your invitations. Accept it, and you are in.",
    "Nothing arrives? Add {name} as a contact by its Jami ID: {id}. Keep Jami open for a minute.",
  ],
  failed: "This did not work",
  notNow: "Not now",
  tooMany: "There were too many requests from this address. Try again in a minute.",
  refusals: {
    "not found": "This link does not work, or not any more. Ask for a new one.",
    "forbidden": "This account cannot be invited.",
    "too many": "Too many people use this link just now. Try again in a few minutes.",
    "bad request": "This Jami ID cannot be invited: is it yours?",
    "unfit": "This Jami ID cannot be invited.",
    "unavailable": "This does not work at the moment. Try again in a few minutes.",
    "conflict": "The group cannot be joined at the moment.",
  },
};

const fr: JoinTexts = {
  join: "Rejoindre {group}",
  theGroup: "le groupe",
  about: "{name} va vous inviter dans le groupe {group} sur Jami.",
  aboutNameless: "{name} va vous inviter dans un groupe sur Jami.",
  jamiId: "Votre identifiant Jami",
  jamiIdForm: "40 chiffres et lettres de a à f",
  where:
    "Il a 40 chiffres et lettres. Dans Jami, il se trouve dans les paramètres de votre compte, ou sous « Partager ».",
  invite: "Invitez-moi",
  noJamiId: "Ce n’est pas un identifiant Jami : il a 40 chiffres et lettres de a à f.",
  memberTitle: "Vous y êtes déjà",
  member: "Ce compte est membre : {group}. Ouvrez Jami pour parler.",
  invitedTitle: "Vous êtes invité",
  invited: "Passez maintenant à Jami.",
  nextTitle: "Ce qui se passe dans Jami",
  next: [
    "{name} peut demander à devenir votre contact. Acceptez, pour que vous puissiez vous connecter.",
    "L’invitation au groupe arrive parmi vos invitations. Acceptez-la, et vous y êtes.",
    "Rien n’arrive ? Ajoutez {name} comme contact par son identifiant Jami : {id}. Gardez Jami ouvert une minute.",
  ],
  failed: "Cela n’a pas marché",
  notNow: "Pas maintenant",
  tooMany: "Il y a eu trop de demandes depuis cette adresse. Réessayez dans une minute.",
  refusals: {
    "not found": "Ce lien ne marche pas, ou plus. Demandez-en un nouveau.",
    "forbidden": "Ce compte ne peut pas être invité.",
    "too many": "Trop de personnes utilisent ce lien en ce moment. Réessayez dans quelques minutes.",
    "bad request": "Cet identifiant Jami ne peut pas être invité : est-ce le vôtre ?",
    "unfit": "Cet identifiant Jami ne peut pas être invité.",
    "unavailable": "Cela ne marche pas pour le moment. Réessayez dans quelques minutes.",
    "conflict": "On ne peut pas rejoindre le groupe pour le moment.",
  },
};

export const joinTexts: Record<Lang, JoinTexts> = { en, fr };
