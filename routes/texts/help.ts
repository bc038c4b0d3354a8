/** The texts of the help about the keyboard. All languages have exactly these keys. */

const en = {
  title: "Keyboard",
  open: "Keyboard help",
  close: "Close",
  help: "This help",
  search: "To the search of the page",
  go: "Go to a page: {first}, then its letter",
  rows: "Next and previous request, where one has the focus",
  answers: "Select, accept, decline, block it",
  escape: "Close a dialogue or menu",
  on: "Single keys act",
  onHint: "Switch them off when they get in the way of dictation or of your browser. Kept in this browser.",
};

/** The texts of one language. */
export type HelpTexts = typeof en;

const fr: HelpTexts = {
  title: "Clavier",
  open: "Aide du clavier",
  close: "Fermer",
  help: "Cette aide",
  search: "Vers la recherche de la page",
  go: "Aller à une page : {first}, puis sa lettre",
  rows: "Demande suivante ou précédente, quand l’une a le focus",
  answers: "La choisir, l’accepter, la décliner, la bloquer",
  escape: "Fermer un dialogue ou un menu",
  on: "Les touches seules agissent",
  onHint: "Désactivez-les si elles gênent la dictée ou votre navigateur. Retenu dans ce navigateur.",
};

/** By language. */
export const helpTexts: Record<"en" | "fr", HelpTexts> = { en, fr };
