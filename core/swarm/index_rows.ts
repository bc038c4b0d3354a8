/** The rows of the store's index, made from commits: at arrival, after a crash, and when the index is rebuilt. */

import type { AccountId } from "../identity/ids.ts";
import type { NewCommit } from "../store/commits.ts";
import { type Commit, field } from "./commit.ts";
import { readCommit } from "./conversation_facts.ts";
import { type Members, membersAt } from "./members.ts";
import type { ObjectReader, Oid } from "./object.ts";
import { linearNewestFirst } from "./order.ts";
import { isHidden, relationOf } from "./relation.ts";

/** The row of one commit. `members` are those at its tree. */
export function indexRow(conversation: Oid, commit: Commit, members: Members): NewCommit {
  const { id, parents, tree, device, type, timestamp, message } = commit;
  const author = authorOf(commit, members);
  const relation = relationOf(commit);
  return {
    conversation,
    id,
    parents: [...parents],
    tree,
    author,
    device,
    type,
    timestamp,
    body: message,
    valid: true,
    ...relation && { relation },
    ...isHidden(type, relation) && { hidden: true },
  };
}

/**
 * Who owns the device that wrote a valid commit. One who leaves takes the device's file along: there the rules demand that
 * the commit names its own author.
 */
function authorOf({ body, device }: Commit, { devices }: Members): AccountId {
  return devices.get(device) ?? (field(body, "action") === "remove" ? field(body, "uri") : "");
}

/**
 * The rows of the commits reachable from `head` and not known, in display order, oldest first. They are not checked:
 * what is below the head of a repository of ours was.
 * @throws {MissingObject} when the repository is damaged
 */
export async function indexRows(
  reader: ObjectReader,
  conversation: Oid,
  head: Oid,
  known: (commit: Oid) => boolean,
): Promise<NewCommit[]> {
  const commits = new Map<Oid, Commit>();
  const open = [head];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (commits.has(id) || known(id)) continue;
    const commit = await readCommit(reader, id);
    commits.set(id, commit);
    open.push(...commit.parents);
  }
  const rows: NewCommit[] = [];
  for (const id of linearNewestFirst(head, commits).reverse()) {
    const commit = commits.get(id);
    if (commit) rows.push(indexRow(conversation, commit, await membersAt(reader, commit.tree)));
  }
  return rows;
}
