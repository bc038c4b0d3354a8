/**
 * Writes the store's index of a conversation's commits so that it is whole at every moment: rows, display order,
 * searchable texts and head change in one transaction.
 */

import type { NewCommit } from "../store/commits.ts";
import type { Store } from "../store/store.ts";
import { changedOrder } from "./display_order.ts";
import { searchedText } from "./entry_text.ts";
import type { Oid } from "./object.ts";

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
    refreshSearch(store, conversation, rows.map(({ id }) => id));
    store.conversations.setHead(conversation, head);
  });
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
