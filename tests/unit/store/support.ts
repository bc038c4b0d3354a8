/** Folders and rows for the tests of the store. */

import { join } from "node:path";
import { openStore, type Store } from "../../../core/store/store.ts";
import type { NewCommit } from "../../../core/store/commits.ts";

/** Runs `test` with the path of a database that does not exist yet, in a folder of its own. */
export async function withPath(test: (path: string, folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kituo-store-" });
  try {
    await test(join(folder, "kituo.sqlite"), folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `test` with a new store. */
export function withStore(test: (store: Store) => void): Promise<void> {
  return withPath((path) => {
    const store = openStore(path);
    try {
      test(store);
    } finally {
      store.close();
    }
  });
}

/** 40 hex digits that say which they are. */
export function id(n: number): string {
  return n.toString(16).padStart(40, "0");
}

/** A commit number `n` of a conversation. */
export function commit(conversation: string, n: number): NewCommit {
  return {
    conversation,
    id: id(n),
    parents: n === 0 ? [] : [id(n - 1)],
    tree: id(1000 + n),
    author: id(7),
    device: "d".repeat(64),
    type: "text/plain",
    timestamp: 1_790_000_000 + n,
    body: `{"body":"message ${n}","type":"text/plain"}`,
  };
}
