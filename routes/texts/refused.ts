/** The texts of the page of refused histories. All languages have exactly these keys. */

const en = {
  none: "Nothing is refused here.",
  noneHint: "When members accept what breaks a rule of the conversation, their history is kept aside and shown here.",
  hint: "These members’ histories hold a commit that breaks a rule, so this node keeps them aside. " +
    "As long as it does, it does not pass on what they wrote after it. " +
    "Nothing refused gets into the conversation unless an owner accepts it by name.",
  offered: "offered by {name}",
  author: "Written by",
  unknownAuthor: "unknown",
  kind: "Kind",
  unreadable: "cannot be read",
  first: "First offending commit",
  head: "Newest commit of that history",
  exactly: "What exactly is wrong",
  daemon: "As daemons say it",
  received: "Refused",
  override: "Accept …",
  overrideTitle: "Accept this commit for good?",
  overrideHint:
    "It stands in the conversation from then on, and so does what was refused for it. This cannot be undone. " +
    "The reason goes into the audit log and is told by deno task verify.",
  others: "Members’ own apps",
  refusedBy: { nobody: "accept it", today: "those of 2026 refuse it too", all: "refuse it too" },
  price: {
    nobody: "",
    today:
      "Apps of 2026 refuse it too: once it is accepted here, members who use one get nothing more from this node in this conversation.",
    all:
      "Members’ own apps refuse it too: once it is accepted here, they get nothing more from this node in this conversation.",
  },
  reason: "Reason",
  reasonHint: "For example: an old client wrote it, it does no harm",
  overridden: "Accepted.",
  another: {
    one: "{n} history is refused for another commit now.",
    other: "{n} histories are refused for other commits now.",
  },
  drop: "Drop …",
  dropTitle: "Drop what was refused?",
  dropHint:
    "What is kept aside is deleted here. Members who still have it may bring it again, and it is refused again.",
  dropped: "Dropped.",
  never: "It can never be accepted: something is missing, or the signature is not its author’s.",
  ownerOnly: "Only owners can accept or drop it.",
  reasons: {
    "Malformed commit": "The commit is not of the form that its type demands.",
    "Malformed initial commit": "The first commit of the conversation is not as it must be.",
    "Malformed merge commit": "A merge of two histories changes what neither of them changed.",
    "Malformed commit (empty type)": "The commit does not say of what type it is.",
    "Invalid user": "It was written by somebody who was no member then, or by a device that is not theirs.",
    "Malformed vote": "A vote was cast by somebody who may not vote, or for something that cannot be voted on.",
    "Invalid member URI": "It names a member in a form that no Jami ID has.",
    "Malformed add member commit": "Somebody was invited by a member who may not invite, or not in the right form.",
    "Malformed join member commit": "Somebody joined without an invitation, or not in the right form.",
    "Malformed remove member commit": "Somebody left, or was taken out, not in the right form.",
    "Malformed ban member commit": "Somebody was banned, or a ban ended, without the votes of admins that it needs.",
    "Malformed member commit": "It does something to a member that is none of the known actions.",
    "Malformed profile updates commit": "The group’s title or picture was changed by somebody who may not.",
    "Malformed checkpoint commit": "A checkpoint is not as it must be.",
    "Malformed edit commit": "Somebody edited or deleted a message that is not theirs.",
    "Message commit in document repository": "A message stands where only a document may.",
    "Device certificate not signed by its account":
      "It brings a certificate of a device that its account never signed.",
    "Initial commit of another conversation": "The history begins with another conversation.",
    "Initial commit not signed by its author": "The first commit is not signed by who is said to have written it.",
    "Edit commit changes files of others": "An edit also changes files that do not belong to its author.",
    "Member removed by somebody else": "Somebody was taken out as if they had left by themselves.",
    "Leaving member changes more than its own files": "Somebody who left also changed what belongs to others.",
    "Ban or un-ban does not move the file of its target": "A ban says one thing and does another.",
    "File with an unusual mode": "It puts a file of an unusual kind into the repository, for example a link.",
    "Unreadable object": "A part of it cannot be read.",
    "Missing object": "A part of it is missing.",
    "Merge brings back what one side changed": "A merge undoes, for example, a ban that one side had decided.",
    "descends from a refused commit": "It follows a commit that is refused.",
  } as Record<string, string>,
};

/** The texts of one language. */
export type RefusedTexts = typeof en;

const fr: RefusedTexts = {
  none: "Rien n’est refusé ici.",
  noneHint:
    "Quand des membres acceptent ce qui enfreint une règle de la conversation, leur historique est mis de côté ici.",
  hint: "Les historiques de ces membres contiennent un commit qui enfreint une règle : ce nœud les met de côté. " +
    "Tant que cela dure, il ne transmet pas ce qu’ils ont écrit après. " +
    "Rien de refusé n’entre dans la conversation, sauf si un propriétaire l’accepte nommément.",
  offered: "proposé par {name}",
  author: "Écrit par",
  unknownAuthor: "inconnu",
  kind: "Genre",
  unreadable: "illisible",
  first: "Premier commit fautif",
  head: "Commit le plus récent de cet historique",
  exactly: "Ce qui ne va pas exactement",
  daemon: "Dans les mots des démons",
  received: "Refusé",
  override: "Accepter…",
  overrideTitle: "Accepter ce commit pour de bon ?",
  overrideHint: "Il figure dès lors dans la conversation, avec ce qui fut refusé à cause de lui. C’est irréversible. " +
    "Le motif entre dans le journal d’audit et apparaît dans deno task verify.",
  others: "Les applications des membres",
  refusedBy: { nobody: "l’acceptent", today: "celles de 2026 le refusent aussi", all: "le refusent aussi" },
  price: {
    nobody: "",
    today:
      "Les applications de 2026 le refusent aussi : une fois accepté ici, les membres qui en utilisent une ne reçoivent plus rien de ce nœud dans cette conversation.",
    all:
      "Les applications des membres le refusent aussi : une fois accepté ici, ils ne reçoivent plus rien de ce nœud dans cette conversation.",
  },
  reason: "Motif",
  reasonHint: "Par exemple : écrit par un ancien client, sans danger",
  overridden: "Accepté.",
  another: {
    one: "{n} historique est maintenant refusé pour un autre commit.",
    other: "{n} historiques sont maintenant refusés pour d’autres commits.",
  },
  drop: "Écarter…",
  dropTitle: "Écarter ce qui fut refusé ?",
  dropHint:
    "Ce qui est mis de côté est supprimé ici. Les membres qui l’ont encore peuvent le rapporter ; il sera refusé de nouveau.",
  dropped: "Écarté.",
  never: "Il ne peut jamais être accepté : il manque quelque chose, ou la signature n’est pas celle de son auteur.",
  ownerOnly: "Seuls les propriétaires peuvent l’accepter ou l’écarter.",
  reasons: {
    "Malformed commit": "Le commit n’a pas la forme que son type exige.",
    "Malformed initial commit": "Le premier commit de la conversation n’est pas comme il doit être.",
    "Malformed merge commit": "Une fusion de deux historiques change ce qu’aucun des deux n’a changé.",
    "Malformed commit (empty type)": "Le commit ne dit pas de quel type il est.",
    "Invalid user": "Écrit par quelqu’un qui n’était pas membre alors, ou par un appareil qui n’est pas le sien.",
    "Malformed vote": "Un vote de quelqu’un qui ne peut pas voter, ou sur ce qui ne se vote pas.",
    "Invalid member URI": "Il nomme un membre sous une forme qu’aucun identifiant Jami n’a.",
    "Malformed add member commit": "Invitation par un membre qui ne peut pas inviter, ou mal formée.",
    "Malformed join member commit": "Quelqu’un est entré sans invitation, ou sous une mauvaise forme.",
    "Malformed remove member commit": "Quelqu’un est parti, ou fut retiré, sous une mauvaise forme.",
    "Malformed ban member commit": "Exclusion, ou sa levée, sans les votes d’administrateurs nécessaires.",
    "Malformed member commit": "Il fait à un membre ce qui n’est aucune des actions connues.",
    "Malformed profile updates commit": "Le titre ou l’image du groupe fut changé par quelqu’un qui ne peut pas.",
    "Malformed checkpoint commit": "Un point de contrôle n’est pas comme il doit être.",
    "Malformed edit commit": "Quelqu’un a modifié ou supprimé un message qui n’est pas le sien.",
    "Message commit in document repository": "Un message se trouve là où seul un document peut être.",
    "Device certificate not signed by its account":
      "Il apporte le certificat d’un appareil que son compte n’a jamais signé.",
    "Initial commit of another conversation": "L’historique commence par une autre conversation.",
    "Initial commit not signed by its author": "Le premier commit n’est pas signé par son auteur présumé.",
    "Edit commit changes files of others": "Une modification change aussi des fichiers qui ne sont pas à son auteur.",
    "Member removed by somebody else": "Quelqu’un fut retiré comme s’il était parti de lui-même.",
    "Leaving member changes more than its own files": "Quelqu’un qui partait a aussi changé ce qui est à d’autres.",
    "Ban or un-ban does not move the file of its target": "Un bannissement dit une chose et en fait une autre.",
    "File with an unusual mode": "Il met dans le dépôt un fichier d’un genre inhabituel, par exemple un lien.",
    "Unreadable object": "Une partie est illisible.",
    "Missing object": "Une partie manque.",
    "Merge brings back what one side changed": "Une fusion annule, par exemple, un bannissement décidé d’un côté.",
    "descends from a refused commit": "Il suit un commit refusé.",
  },
};

/** By language. */
export const refusedTexts: Record<"en" | "fr", RefusedTexts> = { en, fr };
