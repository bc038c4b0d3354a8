/**
 * The operator's overrides, written beside the objects of a repository too, so that `deno task verify` knows them, who has no database. Git does not
 * mind the file.
 */

import { join } from "node:path";
import { text, utf8 } from "../base/bytes.ts";
import { writeDurably } from "./durable_fs.ts";
import { RepositoryError } from "./object_store.ts";
import { isOid, type Oid } from "./oid.ts";

/** A commit that the operator accepts although it breaks a rule (swarm-repository.md 5.6). */
export interface OverrideNote {
  commit: Oid;
  /** the rule that it breaks */
  violated: string;
  /** the operator's reason */
  reason: string;
  /** when that was decided, ms */
  at: number;
}

/** Inside the repository's own folder. */
const NAME = "kituo-overrides.json";

/** Replaces what the repository notes; durable once this resolves. @param gitdir the folder with `objects` and `refs` */
export async function writeOverrides(gitdir: string, notes: readonly OverrideNote[]): Promise<void> {
  const lines = notes.map(({ commit, violated, reason, at }) => ({ commit, violated, reason, at }));
  await writeDurably(join(gitdir, NAME), utf8(JSON.stringify(lines, null, 2) + "\n"));
}

/** What the repository notes; nothing when there is no file. @throws {RepositoryError} when the file is damaged */
export async function readOverrides(gitdir: string): Promise<OverrideNote[]> {
  let content;
  try {
    content = await Deno.readFile(join(gitdir, NAME));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  try {
    const notes: unknown = JSON.parse(text(content));
    if (Array.isArray(notes)) return notes.map(noteOf);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new RepositoryError(`${NAME} is damaged`);
}

function noteOf(note: unknown): OverrideNote {
  if (
    typeof note === "object" && note !== null && "commit" in note && "violated" in note && "reason" in note &&
    "at" in note
  ) {
    const { commit, violated, reason, at } = note;
    if (
      typeof commit === "string" && isOid(commit) && typeof violated === "string" && typeof reason === "string" &&
      typeof at === "number"
    ) {
      return { commit, violated, reason, at };
    }
  }
  throw new RepositoryError(`${NAME} is damaged`);
}
