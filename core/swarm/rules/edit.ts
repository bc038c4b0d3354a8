/** Edits of messages, files and announcements (swarm-repository.md 5.2 `application/edited-message`, 5.6). */

import { ownerAt } from "../author.ts";
import { type Commit, field } from "../commit.ts";
import { isPeersFault, readCommit } from "../conversation_facts.ts";
import type { RuleContext } from "./context.ts";
import { checkOwnFilesOnly } from "./plain.ts";
import { OwnReason, Reason } from "./violation.ts";

/** The edited commit is there, of a kind that can be edited, and by the same account. */
export async function checkEdit(context: RuleContext): Promise<void> {
  const bad = (detail: string): never => context.refuse(Reason.edit, detail);
  const owner = await context.knownOwner(Reason.edit);
  const edited = await findEdited(context, field(context.commit.body, "edit"));
  if (edited === null) return bad("the edited commit is unknown");
  if (await ownerAt(context.trees, edited.tree, edited.device) !== owner) bad("the edited commit is another's");
  if (!isEditable(edited)) bad(`a commit of type "${edited.type}" cannot be edited`);
  await checkOwnFilesOnly(context, OwnReason.editFiles);
}

async function findEdited(context: RuleContext, id: string): Promise<Commit | null> {
  if (!/^[0-9a-f]{40}$/.test(id)) return null;
  try {
    return await readCommit(context.reader, id);
  } catch (error) {
    if (isPeersFault(error)) return null;
    throw error;
  }
}

function isEditable(commit: Commit): boolean {
  switch (commit.type) {
    case "text/plain":
    case "application/collab-doc+json":
      return true;
    case "application/data-transfer+json":
      return field(commit.body, "tid") !== "";
    default:
      return false;
  }
}
