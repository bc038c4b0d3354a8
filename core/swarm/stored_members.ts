/** Who is in a conversation that is not open, because it was left. */

import { conversationFacts, readCommit } from "./conversation_facts.ts";
import { type Members, membersAt } from "./members.ts";
import type { AccountId } from "../identity/ids.ts";
import type { Oid } from "./object.ts";
import { Repository } from "./repository.ts";

/** The people at the head of a repository. */
export interface StoredMembers {
  readonly members: Members;
  readonly initialMembers: readonly AccountId[];
}

/** Nothing in the folder is touched. @throws {Error} when it is no repository, or a damaged one */
export async function storedMembers(dir: string, id: Oid): Promise<StoredMembers> {
  const repository = await Repository.open(dir, { readOnly: true });
  try {
    const { initialMembers } = await conversationFacts(repository, id);
    const { tree } = await readCommit(repository, await repository.head() ?? id);
    return { members: await membersAt(repository, tree), initialMembers };
  } finally {
    await repository.close();
  }
}
