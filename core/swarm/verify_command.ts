/**
 * `deno task verify PATH [--ref REF]`: replays the swarm repository at PATH (bare or with a work tree, anybody's) and
 * prints one JSON line per commit, oldest first. Where PATH is a node's data folder, its audit trail is checked and one
 * line printed. Exit code 0: all valid, or accepted by the operator; 1: a commit is refused, or the trail was tampered with; 2: cannot be read.
 */

import { parseArgs } from "node:util";
import { messageOf } from "../base/errors.ts";
import { databasePath } from "../store/places.ts";
import { verifyAudit } from "../store/verify_audit.ts";
import { isOid, type Oid } from "./oid.ts";
import { readOverrides } from "./override_file.ts";
import { Repository } from "./repository.ts";
import { verifyHistory } from "./verify.ts";

const USAGE =
  "usage: verify PATH [--ref REF]   (PATH: a repository, or a data folder for its audit trail; REF: a ref, short or full, or a commit id; refs/heads/main unless given)";

const ALL_VALID = 0;
const REFUSED = 1;
const UNUSABLE = 2;

/** Runs the command; `print` gets the lines. @returns the exit code */
export async function verifyCommand(
  args: string[],
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const parsed = parse(args);
  if (parsed === null) {
    complain(USAGE);
    return UNUSABLE;
  }
  let repository: Repository | undefined;
  try {
    const database = databasePath(parsed.path);
    if (await isFile(database)) {
      const verdict = verifyAudit(database);
      print(JSON.stringify(verdict));
      return verdict.broken === null ? ALL_VALID : REFUSED;
    }
    repository = await Repository.open(parsed.path);
    const head = await findHead(repository, parsed.ref);
    if (head === null) {
      complain(`verify: no ${parsed.ref} in ${parsed.path}`);
      return UNUSABLE;
    }
    let code = ALL_VALID;
    for await (const line of verifyHistory(repository, head, undefined, await readOverrides(repository.gitdir))) {
      if (!line.valid) code = REFUSED;
      if (line.overridden !== undefined) {
        complain(`verify: ${line.commit} breaks a rule (${line.reason}) and was accepted by the operator`);
      }
      print(JSON.stringify(line));
    }
    return code;
  } catch (error) {
    complain(`verify: cannot read ${parsed.path}: ${messageOf(error).split("\n")[0]}`);
    return UNUSABLE;
  } finally {
    await repository?.close();
  }
}

function parse(args: string[]): { path: string; ref: string } | null {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { ref: { type: "string", default: "refs/heads/main" } },
      allowPositionals: true,
    });
    const [path, ...rest] = positionals;
    return path === undefined || path === "" || rest.length > 0 ? null : { path, ref: values.ref };
  } catch {
    return null; // an unknown option: the usage says the rest
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false; // then it is no data folder, and the repository says what is wrong
  }
}

/** A name is looked for where git looks for it. */
async function findHead(repository: Repository, ref: string): Promise<Oid | null> {
  for (const name of [ref, `refs/${ref}`, `refs/tags/${ref}`, `refs/heads/${ref}`, `refs/remotes/${ref}`]) {
    if (!name.startsWith("refs/") && name !== "HEAD") continue;
    const oid = await repository.resolve(name);
    if (oid !== null) return oid;
  }
  return isOid(ref) && await repository.has(ref) ? ref : null;
}

if (import.meta.main) {
  const encoder = new TextEncoder();
  const line = (to: { writeSync(bytes: Uint8Array): number }) => (text: string) => {
    let rest = encoder.encode(text + "\n");
    while (rest.length > 0) rest = rest.subarray(to.writeSync(rest));
  };
  Deno.exitCode = await verifyCommand(Deno.args, line(Deno.stdout), line(Deno.stderr));
}
