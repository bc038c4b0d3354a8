/** The texts of the page of own devices. All languages have exactly these keys. */

const en = {
  devices: "Devices of this account",
  devicesHint: "Phones, computers and other nodes that are the same Jami account. They keep each other complete.",
  thisOne: "this node",
  revoked: "revoked",
  online: "online",
  offline: "offline",
  seen: "seen {time}",
  neverSeen: "not seen yet",
  revoke: "Revoke",
  revokeTitle: "Revoke {name}?",
  revokeHint: "Nobody connects with it any more, for good. What it has already stays on it.",
  revokeThisHint:
    "This is the node itself: it takes part in nothing any more, for good. What it has can still be read.",
  revokeType: "Type {word} to go on",
  isRevoked: "{name} is revoked.",
  youAreRevoked:
    "The account has revoked this node: it takes part in nothing any more. What is here can still be read.",
  password: "Password of the account",
  passwordHint: "The one that protects the account's archive.",
  add: "Add a device",
  addHint:
    "On the new device choose “Link device”, or start another node with --link. It shows an address that begins " +
    "with jami-auth://, also as a QR code.",
  address: "Address that the new device shows",
  begin: "Connect",
  stages: {
    connecting: "Looking for the new device…",
    confirm: "A device is connected from {address}. Is it the one that you have at hand?",
    password: "Confirmed. If the account has a password, type it on the new device: {n} tries left.",
    sending: "The account is being sent…",
    done: "The device is linked. It appears in the list as soon as it is online.",
  },
  confirm: "Yes, link it",
  cancel: "Cancel",
  failures: {
    unreachable: "The device was not reached. Is it online, and is the address still shown?",
    timeout: "It took longer than five minutes. Start again on the new device.",
    canceled: "Cancelled: no device was linked.",
    password: "The password was wrong three times: no device was linked.",
    protocol: "The other side does not speak as a new device does: nothing was given to it.",
    internal: "The account's archive could not be read: see the log.",
  },
  archive: "The account for other Jami apps",
  archiveHint:
    "One file with the keys of the account, its contacts and the list of its conversations. Whoever has it is " +
    "this account: keep it like a key.",
  newPassword: "New password for the file",
  newPasswordHint: "Without one, anybody who finds the file can use the account.",
  export: "Download",
  exported: "The archive was made.",
};

/** The texts of one language. */
export type DevicesTexts = typeof en;

const fr: DevicesTexts = {
  devices: "Appareils de ce compte",
  devicesHint: "Téléphones, ordinateurs et autres nœuds qui sont le même compte Jami. Ils se complètent l’un l’autre.",
  thisOne: "ce nœud",
  revoked: "révoqué",
  online: "en ligne",
  offline: "hors ligne",
  seen: "vu {time}",
  neverSeen: "pas encore vu",
  revoke: "Révoquer",
  revokeTitle: "Révoquer {name} ?",
  revokeHint: "Plus personne ne s’y connectera, définitivement. Ce qu’il possède déjà y reste.",
  revokeThisHint:
    "C’est le nœud lui-même : il ne participera plus à rien, définitivement. Son contenu restera lisible.",
  revokeType: "Tapez {word} pour continuer",
  isRevoked: "{name} est révoqué.",
  youAreRevoked: "Le compte a révoqué ce nœud : il ne participe plus à rien. Son contenu reste lisible.",
  password: "Mot de passe du compte",
  passwordHint: "Celui qui protège l’archive du compte.",
  add: "Ajouter un appareil",
  addHint:
    "Sur le nouvel appareil, choisissez « Lier un appareil », ou démarrez un autre nœud avec --link. Il affiche une " +
    "adresse qui commence par jami-auth://, aussi sous forme de code QR.",
  address: "Adresse affichée par le nouvel appareil",
  begin: "Connecter",
  stages: {
    connecting: "Recherche du nouvel appareil…",
    confirm: "Un appareil est connecté depuis {address}. Est-ce bien celui que vous avez en main ?",
    password: "Confirmé. Si le compte a un mot de passe, tapez-le sur le nouvel appareil : il reste {n} essais.",
    sending: "Envoi du compte…",
    done: "L’appareil est lié. Il apparaîtra dans la liste dès qu’il sera en ligne.",
  },
  confirm: "Oui, le lier",
  cancel: "Annuler",
  failures: {
    unreachable: "L’appareil n’a pas été joint. Est-il en ligne, et l’adresse est-elle encore affichée ?",
    timeout: "Plus de cinq minutes ont passé. Recommencez sur le nouvel appareil.",
    canceled: "Annulé : aucun appareil n’a été lié.",
    password: "Mot de passe erroné trois fois : aucun appareil n’a été lié.",
    protocol: "L’autre côté ne se comporte pas comme un nouvel appareil : rien ne lui a été donné.",
    internal: "L’archive du compte n’a pas pu être lue : voyez le journal.",
  },
  archive: "Le compte pour d’autres applications Jami",
  archiveHint:
    "Un fichier avec les clés du compte, ses contacts et la liste de ses conversations. Qui le possède est ce " +
    "compte : gardez-le comme une clé.",
  newPassword: "Nouveau mot de passe du fichier",
  newPasswordHint: "Sans lui, quiconque trouve le fichier peut utiliser le compte.",
  export: "Télécharger",
  exported: "L’archive a été créée.",
};

/** By language. */
export const devicesTexts: Record<"en" | "fr", DevicesTexts> = { en, fr };
