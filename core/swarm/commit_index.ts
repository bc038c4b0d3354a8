/**
 * Writes the store's index of a conversation's commits so that it is whole at every moment: rows, display order,
 * searchable texts and head change in one transaction.
 */

import type { NewCommit } from "../store/commits.ts";
import type { Store } from "../store/store.ts";
import { Breather } from "./breather.ts";
import { changedOrder } from "./display_order.ts";
import { searchedText } from "./entry_text.ts";
import type { Oid } from "./object.ts";

/** Rows in one transaction when all are looked at: more would keep the main loop from its work. */
const RENEWED_AT_ONCE = 200;

/** Adds new commits, after which `head` is the newest. All that it reaches must be there or among them. */
export function addToIndex(store: Store, conversation: Oid, head: Oid, rows: readonly NewCommit[]): void {
  const { commits } = store;
  store.transaction(() => {
    const { unchanged, rest } = changedOrder(head, rows, {
      count: commits.count(conversation),
      tail: (count) => commits.tail(conversation, count),
    });
    commits.insertMany(rows);
    commits.reorder(conversation, rest, unchanged);
    refreshSearch(store, conversation, rest);
    store.conversations.setHead(conversation, head);
  });
}

/** Puts `rows`, oldest in display order first, in place of all that the index had. */
export function replaceIndex(store: Store, conversation: Oid, head: Oid, rows: readonly NewCommit[]): void {
  store.transaction(() => {
    store.commits.replaceAll(conversation, rows);
    store.protections.dropScan(conversation); // by their new numbers all would look as if they had just come
    refreshSearch(store, conversation, rows.map(({ id }) => id));
    store.conversations.setHead(conversation, head);
  });
}

/** Cuts all texts of a conversation into words again, when an earlier Kituo did it in another way. */
export async function renewSearch(store: Store, conversation: Oid): Promise<void> {
  if (!store.search.isDue(conversation)) return;
  const breather = new Breather();
  let after = 0;
  while (true) {
    const rows = store.commits.byArrival(conversation, { after, limit: RENEWED_AT_ONCE });
    if (rows.length === 0) break;
    store.transaction(() => rows.forEach((row) => store.search.set(row.seq, searchedText(row, store.commits))));
    after = rows[rows.length - 1].seq;
    await breather.pause();
  }
  store.search.renewed(conversation);
}

/** Makes the commits at new places, and those they edit, found by their present texts. */
function refreshSearch(store: Store, conversation: Oid, moved: readonly Oid[]): void {
  const touched = new Set<Oid>();
  for (const id of moved) {
    const { relation } = store.commits.get(conversation, id) ?? {};
    touched.add(relation?.kind === "edit" ? relation.target : id);
  }
  for (const id of touched) {
    const row = store.commits.get(conversation, id);
    if (row) store.search.set(row.seq, searchedText(row, store.commits));
  }
}
