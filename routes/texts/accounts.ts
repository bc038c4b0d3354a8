/** The texts of set-up, sign-in and joining. All languages have exactly these keys. */

const en = {
  name: "Your name",
  password: "Password",
  passwordHint: "At least 12 characters; a few unusual words are good. Leave it empty to use a passkey.",
  signIn: "Sign in",
  signInPasskey: "Sign in with a passkey",
  notSetUp: "Nobody is admin here yet: open the set-up link that the node printed when it started.",
  setUp: "Set up this node",
  setUpHint: "One minute: who you are, what the node is called, and whom it serves.",
  admin: "You, the first admin",
  node: "The node",
  nodeName: "Name shown to contacts",
  policy: "Contact requests and group invitations",
  policies: { manual: "I decide", allowlist: "Accept accounts on the allowlist", anyone: "Accept everybody" },
  withPassword: "Continue with this password",
  withPasskey: "Continue with a passkey",
  join: "Become an admin",
  joinHint: "You were invited to look after this node.",
  working: "Waiting for your device…",
  cancelled: "The device made no passkey, or you cancelled.",
};

/** The texts of one language. */
export type AccountTexts = typeof en;

const fr: AccountTexts = {
  name: "Votre nom",
  password: "Mot de passe",
  passwordHint: "Au moins 12 caractères ; quelques mots insolites conviennent. Laissez vide pour une clé d’accès.",
  signIn: "Se connecter",
  signInPasskey: "Se connecter avec une clé d’accès",
  notSetUp: "Personne n’administre encore ce nœud : ouvrez le lien d’installation affiché à son démarrage.",
  setUp: "Installer ce nœud",
  setUpHint: "Une minute : qui vous êtes, comment le nœud s’appelle et qui il sert.",
  admin: "Vous, premier administrateur",
  node: "Le nœud",
  nodeName: "Nom montré aux contacts",
  policy: "Demandes de contact et invitations de groupe",
  policies: {
    manual: "Je décide",
    allowlist: "Accepter les comptes de la liste",
    anyone: "Accepter tout le monde",
  },
  withPassword: "Continuer avec ce mot de passe",
  withPasskey: "Continuer avec une clé d’accès",
  join: "Devenir administrateur",
  joinHint: "Vous êtes invité à veiller sur ce nœud.",
  working: "En attente de votre appareil…",
  cancelled: "L’appareil n’a pas créé de clé, ou vous avez annulé.",
};

/** By language. */
export const accountTexts: Record<"en" | "fr", AccountTexts> = { en, fr };
