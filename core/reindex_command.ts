/**
 * `deno task reindex --data DIR`: rebuilds the database from the git repositories, which are the truth: the index of all commits, and the conversations
 * that it does not know. A damaged database is put aside first. The node must not run. Prints one line for each conversation. Exit code 0: all were
 * read; 1: a repository is damaged (its rows are left as they are, the others are rebuilt); 2: nothing could be done.
 */

import { parseArgs } from "node:util";
import { systemClock } from "./base/clock.ts";
import { KituoError, messageOf } from "./base/errors.ts";
import type { AccountId } from "./identity/ids.ts";
import { accountIn } from "./identity/storage.ts";
import { isDamage } from "./store/errors.ts";
import { type FolderLock, lockFolder } from "./store/lock.ts";
import { conversationsPath, databasePath, identityPath, repositoryIds, repositoryPath } from "./store/places.ts";
import { openStore, type Store } from "./store/store.ts";
import { replaceIndex } from "./swarm/commit_index.ts";
import { conversationFacts, readCommit } from "./swarm/conversation_facts.ts";
import { indexRows } from "./swarm/index_rows.ts";
import { membersAt } from "./swarm/members.ts";
import type { Oid } from "./swarm/object.ts";
import { Repository } from "./swarm/repository.ts";

const USAGE = "usage: reindex [--data DIR]   (DIR: the node's data folder, ./data unless given)";

const DONE = 0;
const DAMAGED = 1;
const UNUSABLE = 2;

/** What is in no repository, in plain words: whoever has a back-up may want to restore it instead. */
const LOST = [
  "what is in no repository is lost, and only a back-up brings it back (deno task restore):",
  "- contacts, requests and invitations, blocked accounts and bans of the node: contacts have to be added again",
  "- admins with their passwords, passkeys, sessions, invitations and API tokens: the next start prints a set-up link",
  "- the audit trail, which begins anew",
  "- names that the node's name server gave out, and what it looked up",
  "- join links, and what was set for single conversations",
  "- refused histories that waited for a decision",
  "- which files are here: the next start removes their contents and asks members for them again",
];

/** A repository that holds something else than its conversation. */
class Damaged extends KituoError {}

/** Nothing that could be rebuilt. */
class NothingHere extends KituoError {}

/** Where the command's lines go. */
interface Voice {
  print(line: string): void;
  complain(line: string): void;
}

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
  const voice = { print, complain };
  let lock: FolderLock | undefined;
  let store: Store | undefined;
  try {
    const repositories = isThere(conversationsPath(data)) ? await repositoryIds(conversationsPath(data)) : [];
    if (!isThere(databasePath(data)) && repositories.length === 0) {
      throw new NothingHere("it has neither a database nor repositories");
    }
    lock = lockFolder(data);
    store = soundStore(data, voice);
    const known = await reindex(store, conversationsPath(data), voice);
    const found = await takeUp(store, data, repositories, voice);
    return Math.max(known, found);
  } catch (error) {
    complain(`reindex: cannot use ${data}: ${firstLine(error)}`);
    return UNUSABLE;
  } finally {
    store?.close();
    lock?.release();
  }
}

/** The folder's database; a new one when it is missing, or damaged and put aside. */
function soundStore(data: string, { print }: Voice): Store {
  const path = databasePath(data);
  if (!isThere(path)) {
    print("there is no database: a new one is made");
    for (const line of LOST) print(line);
    return openStore(path);
  }
  let store: Store | undefined;
  try {
    store = openStore(path);
    store.check();
    return store;
  } catch (error) {
    store?.close();
    if (!isDamage(error)) throw error;
    const aside = `${path}.damaged-${new Date(systemClock.now()).toISOString().replace(/[-:]|\.\d+/g, "")}`;
    for (const part of ["", "-wal", "-shm"]) if (isThere(path + part)) Deno.renameSync(path + part, aside + part);
    print(`the database is damaged (${firstLine(error)}): it is ${aside} now and a new one is made`);
    for (const line of LOST) print(line);
    return openStore(path);
  }
}

/** Rebuilds the index of the conversations that the database knows. */
async function reindex(store: Store, folder: string, { print, complain }: Voice): Promise<number> {
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

/** Makes the database know the repositories that it does not. */
async function takeUp(store: Store, data: string, repositories: Oid[], { print, complain }: Voice): Promise<number> {
  const unknown = repositories.filter((id) => !store.conversations.get(id));
  if (unknown.length === 0) return DONE;
  const account = await accountIn(identityPath(data));
  let code = DONE;
  for (const id of unknown) {
    try {
      const commits = await rebuild(store, id, repositoryPath(conversationsPath(data), id), account);
      print(`${id} ${commits} commits; it was not in the database and is ${store.conversations.get(id)?.state} now`);
    } catch (error) {
      code = DAMAGED;
      complain(`${id} is damaged: ${firstLine(error)}`);
    }
  }
  return code;
}

/**
 * Puts what the repository has in place of the conversation's rows.
 * @param newcomer our account, when the database does not know the conversation
 * @returns how many commits that is
 */
async function rebuild(store: Store, id: Oid, path: string, newcomer?: AccountId): Promise<number> {
  const repository = await Repository.open(path, { readOnly: true });
  try {
    const head = await repository.head();
    if (head === null) throw new Damaged("there is no history");
    const rows = await indexRows(repository, id, head, () => false);
    if (rows[0]?.id !== id) throw new Damaged("the history is another conversation's");
    if (newcomer) await register(store, repository, id, head, newcomer);
    replaceIndex(store, id, head, rows);
    return rows.length;
  } finally {
    await repository.close();
  }
}

/** Notes a conversation with what its repository says of it. */
async function register(store: Store, repository: Repository, id: Oid, head: Oid, self: AccountId): Promise<void> {
  const { mode } = await conversationFacts(repository, id);
  if (mode === null) throw new Damaged("its mode is unknown");
  const { roles } = await membersAt(repository, (await readCommit(repository, head)).tree);
  const state = ["admin", "member", "invited"].includes(roles.get(self) ?? "") ? "active" : "left";
  store.conversations.put({ id, mode, created: systemClock.now(), removed: 0, erased: 0, state, title: "", head });
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
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
