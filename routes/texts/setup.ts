/** The texts of the set-up after the first admin is made. All languages have exactly these keys. */

const en = {
  title: "Set up this node",
  progress: "Step {n} of {all}",
  next: "Continue",
  back: "Back",
  steps: { node: "Name", account: "Account", policy: "Requests", add: "Ready" },
  node: {
    title: "What is the node called?",
    hint: "People see this name and picture in Jami.",
    name: "Name",
    picture: "Picture",
    pictureHint: "Optional. PNG or JPEG; it is made small before it is kept.",
    choosePicture: "Choose a picture",
    changePicture: "Another picture",
    removePicture: "Remove",
    badPicture: "This is not a picture that the browser can read.",
  },
  account: {
    title: "Which Jami account does it use?",
    hint: "The node has made a new account for itself. That is right for most.",
    keep: "The new account",
    keepHint: "Nothing to do.",
    import: "An account that I have",
    importHint:
      "The node becomes one more device of that account: it has the same Jami ID, name, contacts and conversations as your other devices.",
    file: "Archive of the account",
    fileHint: "In Jami: account settings, “Back up account”. It is a file like export.gz.",
    password: "Password of the archive",
    passwordHint: "The one of the account. Leave it empty if it has none.",
    begin: "Import the account",
    noFile: "Choose the archive first.",
    reading: "Sending the archive …",
    steps: {
      open: "Opening the archive",
      renew: "Looking at the account’s certificates",
      keys: "Making a key for this device: this takes some seconds",
      save: "Writing it down",
      restart: "Starting the node as a device of this account",
    },
    done: "This node is now a device of your account.",
    gone: "Somebody knows this node already, so it stays the account that it is.",
    faults: {
      "wrong password": "The password is wrong.",
      "password needed": "This archive has a password, or it is no archive of a Jami account.",
      "too large": "The file is too large to be the archive of an account.",
      "malformed": "This file is not the archive of a Jami account, or it is damaged.",
      "not valid":
        "The account’s certificates have expired or do not fit: open the account in Jami and make a new archive.",
      "failed": "It did not work; the node’s log says why. The node is the account that it was.",
    },
  },
  policy: {
    title: "Whom does the node let in?",
    hint: "When somebody adds it as a contact, or invites it into a group. You can change this later.",
    choices: {
      manual: { name: "I decide each time", hint: "Requests wait in this console until you accept or decline them." },
      allowlist: { name: "People on my list at once", hint: "All others wait for you." },
      anyone: { name: "Everybody at once", hint: "Whoever knows the Jami ID can use the node: for a public relay." },
    },
    list: "Jami IDs on the list",
    listHint: "One a line.",
    badId: "“{id}” is not a Jami ID (40 digits from 0-9 and a-f).",
    tooMany: "The list may have {n} Jami IDs.",
  },
  add: {
    title: "The node is ready",
    hint: "Now add it in Jami. You find this page again under “Add this node”.",
    finish: "Go to the console",
  },
};

/** The texts of one language. */
export type SetupTexts = typeof en;

const fr: SetupTexts = {
  title: "Installer ce nœud",
  progress: "Étape {n} sur {all}",
  next: "Continuer",
  back: "Retour",
  steps: { node: "Nom", account: "Compte", policy: "Demandes", add: "Prêt" },
  node: {
    title: "Comment s’appelle le nœud ?",
    hint: "Ce nom et cette image se voient dans Jami.",
    name: "Nom",
    picture: "Image",
    pictureHint: "Facultative. PNG ou JPEG ; elle est réduite avant d’être gardée.",
    choosePicture: "Choisir une image",
    changePicture: "Une autre image",
    removePicture: "Retirer",
    badPicture: "Le navigateur ne peut pas lire cette image.",
  },
  account: {
    title: "Quel compte Jami utilise-t-il ?",
    hint: "Le nœud s’est créé un nouveau compte. C’est ce qui convient le plus souvent.",
    keep: "Le nouveau compte",
    keepHint: "Rien à faire.",
    import: "Un compte que j’ai déjà",
    importHint:
      "Le nœud devient un appareil de plus de ce compte : même identifiant Jami, même nom, mêmes contacts et conversations que vos autres appareils.",
    file: "Archive du compte",
    fileHint: "Dans Jami : paramètres du compte, « Sauvegarder le compte ». C’est un fichier comme export.gz.",
    password: "Mot de passe de l’archive",
    passwordHint: "Celui du compte. Laissez vide s’il n’en a pas.",
    begin: "Importer le compte",
    noFile: "Choisissez d’abord l’archive.",
    reading: "Envoi de l’archive…",
    steps: {
      open: "Ouverture de l’archive",
      renew: "Examen des certificats du compte",
      keys: "Création de la clé de cet appareil : quelques secondes",
      save: "Écriture",
      restart: "Démarrage du nœud comme appareil de ce compte",
    },
    done: "Ce nœud est maintenant un appareil de votre compte.",
    gone: "Quelqu’un connaît déjà ce nœud : il garde son compte.",
    faults: {
      "wrong password": "Le mot de passe est faux.",
      "password needed": "Cette archive a un mot de passe, ou n’est pas l’archive d’un compte Jami.",
      "too large": "Le fichier est trop grand pour l’archive d’un compte.",
      "malformed": "Ce fichier n’est pas l’archive d’un compte Jami, ou il est abîmé.",
      "not valid":
        "Les certificats du compte ont expiré ou ne vont pas ensemble : ouvrez le compte dans Jami et refaites une archive.",
      "failed": "Cela n’a pas marché ; le journal du nœud dit pourquoi. Le nœud garde son compte.",
    },
  },
  policy: {
    title: "Qui le nœud laisse-t-il entrer ?",
    hint: "Quand on l’ajoute comme contact ou qu’on l’invite dans un groupe. Vous pourrez changer cela plus tard.",
    choices: {
      manual: { name: "Je décide à chaque fois", hint: "Les demandes attendent dans cette console votre réponse." },
      allowlist: { name: "Les gens de ma liste, aussitôt", hint: "Les autres attendent votre réponse." },
      anyone: {
        name: "Tout le monde, aussitôt",
        hint: "Qui connaît l’identifiant Jami peut utiliser le nœud : pour un relais public.",
      },
    },
    list: "Identifiants Jami de la liste",
    listHint: "Un par ligne.",
    badId: "« {id} » n’est pas un identifiant Jami (40 chiffres de 0-9 et a-f).",
    tooMany: "La liste peut avoir {n} identifiants Jami.",
  },
  add: {
    title: "Le nœud est prêt",
    hint: "Ajoutez-le maintenant dans Jami. Cette page reste sous « Ajouter ce nœud ».",
    finish: "Aller à la console",
  },
};

/** By language. */
export const setupTexts: Record<"en" | "fr", SetupTexts> = { en, fr };
