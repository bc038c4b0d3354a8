/** The texts of "Add this node", and of the end of the set-up. All languages have exactly these keys. */

const en = {
  title: "Add this node in Jami",
  hint: "Jami has no servers to join: add the node as you would add a friend, then invite it into your groups.",
  code: "QR code of this node’s Jami ID",
  codeHint: "Scan it with Jami on your phone.",
  jamiId: "Jami ID",
  registeredName: "Registered name",
  noName: "None yet. A name is easier to tell than 40 digits.",
  registerHint: "3 to 32 letters, digits, - and _. A name is for good: it cannot be changed or given back.",
  newName: "Name",
  archivePassword: "Password of the account’s archive",
  archivePasswordHint: "Only if the account was imported from an archive with a password.",
  registerOne: "Register a name …",
  register: "Register this name",
  registering: "Registering: this takes some seconds …",
  registered: "This node is now called {name}.",
  steps: "In three steps",
  step1: "Find it",
  step1Hint: "In Jami, search for the registered name or the Jami ID, or scan the code.",
  step2: "Add it as a contact",
  step2Hint: "Send the request. Unless the node accepts everybody, say yes to it here, under {requests}.",
  step3: "Invite it into your groups",
  step3Hint: "From then on the node keeps what is said and hands it to everybody who was away.",
  ofGroup: "You can also {create} here and invite people into it.",
  create: "make a group",
  requests: "Requests",
};

/** The texts of one language. */
export type AddTexts = typeof en;

const fr: AddTexts = {
  title: "Ajouter ce nœud dans Jami",
  hint: "Jami n’a pas de serveurs : ajoutez le nœud comme un ami, puis invitez-le dans vos groupes.",
  code: "Code QR de l’identifiant Jami de ce nœud",
  codeHint: "Scannez-le avec Jami sur votre téléphone.",
  jamiId: "Identifiant Jami",
  registeredName: "Nom enregistré",
  noName: "Pas encore. Un nom se dit plus facilement que 40 chiffres.",
  registerHint: "3 à 32 lettres, chiffres, - et _. Un nom est définitif : il ne se change pas et ne se rend pas.",
  newName: "Nom",
  archivePassword: "Mot de passe de l’archive du compte",
  archivePasswordHint: "Seulement si le compte vient d’une archive avec mot de passe.",
  registerOne: "Enregistrer un nom…",
  register: "Enregistrer ce nom",
  registering: "Enregistrement : quelques secondes…",
  registered: "Ce nœud s’appelle maintenant {name}.",
  steps: "En trois étapes",
  step1: "Le trouver",
  step1Hint: "Dans Jami, cherchez le nom enregistré ou l’identifiant Jami, ou scannez le code.",
  step2: "L’ajouter comme contact",
  step2Hint: "Envoyez la demande. Si le nœud n’accepte pas tout le monde, acceptez-la ici, sous {requests}.",
  step3: "L’inviter dans vos groupes",
  step3Hint: "Dès lors, le nœud garde ce qui se dit et le remet à ceux qui étaient absents.",
  ofGroup: "Vous pouvez aussi {create} ici et y inviter des gens.",
  create: "créer un groupe",
  requests: "Demandes",
};

/** By language. */
export const addTexts: Record<"en" | "fr", AddTexts> = { en, fr };
