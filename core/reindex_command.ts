/**
 * `deno task reindex --data DIR`: rebuilds the index of all commits in the database from the git repositories, which are the truth. The node must not
 * run. Prints one line for each conversation. Exit code 0: all were read; 1: a repository is damaged (its rows are left as they are, the others are
 * rebuilt); 2: nothing could be done.
 */

import { parseArgs } from "node:util";
import { KituoError, messageOf } from "./base/errors.ts";
import { type FolderLock, lockFolder } from "./store/lock.ts";
import { conversationsPath, databasePath, repositoryPath } from "./store/places.ts";
import { openStore, type Store } from "./store/store.ts";
import { replaceIndex } from "./swarm/commit_index.ts";
import { indexRows } from "./swarm/index_rows.ts";
import type { Oid } from "./swarm/object.ts";
import { Repository } from "./swarm/repository.ts";

const USAGE = "usage: reindex [--data DIR]   (DIR: the node's data folder, ./data unless given)";

const DONE = 0;
const DAMAGED = 1;
const UNUSABLE = 2;

/** A repository that holds something else than its conversation. */
class Damaged extends KituoError {}

/** Runs the command; `print` and `complain` get lines. @returns the exit code */
export async function reindexCommand(
  args: string[],
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const data = dataFolder(args);
  if (data === null) {
    complain(USAGE);
    return UNUSABLE;
  }
  let lock: FolderLock | undefined;
  let store: Store | undefined;
  try {
    Deno.statSync(databasePath(data)); // opening would make an empty one
    lock = lockFolder(data);
    store = openStore(databasePath(data));
    return await reindex(store, conversationsPath(data), print, complain);
  } catch (error) {
    complain(`reindex: cannot use ${data}: ${firstLine(error)}`);
    return UNUSABLE;
  } finally {
    store?.close();
    lock?.release();
  }
}

async function reindex(
  store: Store,
  folder: string,
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  let code = DONE;
  for (const { id, state } of store.conversations.all()) {
    if (state === "cloning") {
      print(`${id} is not cloned yet`);
      continue;
    }
    try {
      print(`${id} ${await rebuild(store, id, repositoryPath(folder, id))} commits`);
    } catch (error) {
      code = DAMAGED;
      complain(`${id} is damaged: ${firstLine(error)}`);
    }
  }
  return code;
}

/** Puts what the repository has in place of the conversation's rows. @returns how many commits that is */
async function rebuild(store: Store, id: Oid, path: string): Promise<number> {
  const repository = await Repository.open(path, { readOnly: true });
  try {
    const head = await repository.head();
    if (head === null) throw new Damaged("there is no history");
    const rows = await indexRows(repository, id, head, () => false);
    if (rows[0]?.id !== id) throw new Damaged("the history is another conversation's");
    replaceIndex(store, id, head, rows);
    return rows.length;
  } finally {
    await repository.close();
  }
}

function dataFolder(args: string[]): string | null {
  try {
    return parseArgs({ args, options: { data: { type: "string", default: "./data" } } }).values.data || null;
  } catch {
    return null; // an unknown option: the usage says the rest
  }
}

function firstLine(error: unknown): string {
  return messageOf(error).split("\n")[0];
}

if (import.meta.main) Deno.exitCode = await reindexCommand(Deno.args, console.log, console.error);
