/** A group with a long history, without the work of writing it. */

import assert from "node:assert/strict";
import { utf8 } from "../../core/base/bytes.ts";
import { conversationsPath, repositoryPath } from "../../core/store/places.ts";
import type { NewCommit } from "../../core/store/commits.ts";
import type { Store } from "../../core/store/store.ts";
import { buildCommit, jsonMessage, parseCommit } from "../../core/swarm/commit.ts";
import { addToIndex } from "../../core/swarm/commit_index.ts";
import { indexRow } from "../../core/swarm/index_rows.ts";
import { membersAt, treesOf } from "../../core/swarm/members.ts";
import { hashObject, type Oid, parseTree } from "../../core/swarm/object.ts";
import { linearNewestFirst } from "../../core/swarm/order.ts";
import { Repository } from "../../core/swarm/repository.ts";
import { createConversation } from "../../core/swarm/write_members.ts";
import { editTree, file } from "../../core/swarm/tree_edit.ts";
import type { TestIdentity } from "./people.ts";

/**
 * A group of `count` commits in a data folder: texts with replies, edits and reactions among them, and a merge now and
 * then. Of the repository there is what a node reads when it opens it: both ends.
 * @param timed does the costly parts
 * @param crowd accounts that are members, too, at the head
 */
export async function makeLargeGroup(
  folder: string,
  store: Store,
  owner: TestIdentity,
  count: number,
  timed: (what: string, work: () => void) => void = (_, work) => work(),
  crowd: readonly string[] = [],
): Promise<Oid> {
  const begun = Date.now() - count * 1_000;
  const first = await createConversation({ identity: owner, displayName: "", now: begun }, { mode: 2 });
  const id = first.head;
  const repository = await Repository.create(repositoryPath(conversationsPath(folder), id));
  await repository.add(first.objects);
  const initial = parseCommit(id, (await repository.read(id)).data);
  const members = await membersAt(repository, initial.tree);
  const rows: NewCommit[] = [indexRow(id, initial, members)];
  const text = (n: number): Record<string, string> => {
    const earlier = rows[Math.max(1, n - 1 - n % 97)]?.id ?? id;
    if (n % 10 === 3) return { type: "text/plain", body: "👍", "react-to": earlier };
    if (n % 10 === 6) return { type: "text/plain", body: `message ${n}, edited`, edit: earlier };
    return { type: "text/plain", body: `message ${n} about chai and chapati`, "reply-to": earlier };
  };
  for (let n = 1; n < count - 1; n++) {
    // every hundredth was written 40 commits ago by somebody who was away, and is merged by the next
    const before = rows[n - 1].id;
    const parents = n % 100 === 97 ? [rows[n - 40].id] : n % 100 === 98 ? [before, rows[n - 2].id] : [before];
    const message = parents.length > 1 ? `Merge commit '${parents[1]}'` : jsonMessage(text(n));
    const data = utf8(
      `tree ${initial.tree}\n${parents.map((parent) => `parent ${parent}\n`).join("")}` +
        ["author", "committer"].map((who) =>
          `${who} x <${owner.device}> ${initial.timestamp + (n % 100 === 97 ? n - 30 : n)} +0000\n`
        ).join("") +
        `\n${message}`,
    );
    rows.push(indexRow(id, parseCommit(hashObject("commit", data), data), members));
  }
  const [anyFile] = parseTree((await repository.read(initial.tree)).data).filter(({ type }) => type === "blob")
    .map(({ oid }) => oid).concat(id); // nobody reads it
  const { tree, objects } = await editTree(
    treesOf(repository),
    initial.tree,
    new Map(crowd.map((account) => [`members/${account}.crt`, file(anyFile)])),
  );
  if (objects.length > 0) await repository.add(objects);
  const head = await buildCommit({
    tree,
    parents: [rows[rows.length - 1].id],
    name: "x",
    device: owner.device,
    timestamp: initial.timestamp + count,
    message: jsonMessage(text(count)),
  }, owner.key);
  await repository.add([head]);
  await repository.setHead(head.oid);
  await repository.close();
  rows.push(indexRow(id, parseCommit(head.oid, head.data), members));
  store.conversations.put({ id, mode: 2, created: 1, removed: 0, erased: 0, state: "active", title: "", head: "" });
  const last = rows.length - 3;
  timed(`${last} commits indexed`, () => addToIndex(store, id, rows[last - 1].id, rows.slice(0, last)));
  assert.equal(rows[last + 1].type, "merge");
  timed("a split of 40 commits merged", () => addToIndex(store, id, head.oid, rows.slice(last)));
  assert.deepEqual(
    store.commits.tail(id, count).map((row) => row.id),
    linearNewestFirst(head.oid, new Map(rows.map((row) => [row.id, row]))),
  );
  // devices that lack nothing, a little, and everything
  rows.filter((_, i) => i % 2_500 === 0).concat(rows.slice(-2)).forEach(({ id: held }, i) => {
    store.ledger.set({
      conversation: id,
      device: `${i}`.repeat(64),
      account: owner.account,
      heads: [held],
      at: 1,
    });
  });
  return id;
}
