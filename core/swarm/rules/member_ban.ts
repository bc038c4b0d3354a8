/** Bans and their end, decided by votes (swarm-repository.md 4, 5.2 `ban`/`unban`, 5.6). */

import { type AccountId, isAccountId, isDeviceId } from "../../identity/ids.ts";
import { ownerAt } from "../author.ts";
import { field } from "../commit.ts";
import { type Change, sameEntry } from "../diff.ts";
import type { Oid } from "../object.ts";
import type { RuleContext } from "./context.ts";
import { OwnReason, Reason } from "./violation.ts";

/** Share of the admins whose votes decide (5.2). Writers want more than half, see 4. */
const DECIDING_SHARE = 0.5;

const DEVICE = /^devices\/([0-9a-f]{64})\.crt$/;
const BANNED = /^banned\/((?:members|admins|devices)\/([0-9a-f]+)\.crt|invited\/([0-9a-f]+))$/;

/** An admin moves the target's file to or from `banned/`, using up the votes of enough admins. */
export async function checkBan(context: RuleContext, parent: Oid, action: "ban" | "unban"): Promise<void> {
  const bad = (detail: string): never => context.refuse(Reason.ban, detail);
  const uri = field(context.commit.body, "uri");
  if (!isAccountId(uri) && !isDeviceId(uri)) bad("neither an account nor a device");
  const owner = await context.knownOwner(Reason.ban);
  const voters = new Set<AccountId>();
  let moves = 0;
  for (const change of context.changes) {
    const vote = voteOf(change, action, uri);
    if (vote !== null) {
      if (change.before === null) bad("a vote that was not there");
      if (change.after === null) voters.add(vote);
    } else if (isBanFile(change.path, uri)) moves++;
    else if (!await isAllowed(context, parent, change, action, uri)) bad(`not allowed: ${change.path}`);
  }
  if (moves === 0) bad("nobody is banned or un-banned");
  if (await context.parentFile(`admins/${owner}.crt`) === null) bad("the author is no admin");
  const admins = (await context.trees.folderAt(parent, "admins")).keys();
  const names = new Set([...admins].map((name) => name.replace(/\.crt$/, "")));
  if ([...voters].filter((voter) => names.has(voter)).length / names.size < DECIDING_SHARE) bad("not enough votes");
  await checkMoves(context, action, owner, uri);
}

function voteOf(change: Change, action: string, uri: string): AccountId | null {
  const [votes, verb, , target, voter, ...rest] = change.path.split("/");
  const isVote = votes === "votes" && verb === action && target === uri && rest.length === 0;
  return isVote && isAccountId(voter) ? voter : null;
}

function isBanFile(path: string, uri: string): boolean {
  const match = BANNED.exec(path);
  return match !== null && (match[2] ?? match[3]) === uri;
}

async function isAllowed(
  context: RuleContext,
  parent: Oid,
  change: Change,
  action: "ban" | "unban",
  uri: string,
): Promise<boolean> {
  if (context.isOwnDevice(change.path)) return true;
  if ([`admins/${uri}.crt`, `members/${uri}.crt`, `CRLs/${uri}`, `invited/${uri}`].includes(change.path)) return true;
  const device = DEVICE.exec(change.path)?.[1];
  if (device === undefined || (change.before !== null) !== (action === "ban")) return false;
  const tree = action === "ban" ? parent : context.commit.tree;
  return device === uri || await ownerAt(context.trees, tree, device) === uri;
}

/**
 * Kituo: what appears is what disappears elsewhere, so that a ban or its end cannot give anybody another role or key.
 * A ban moves `<list>/<uri>` to `banned/<list>/<uri>`, an un-ban back.
 */
async function checkMoves(
  context: RuleContext,
  action: "ban" | "unban",
  owner: AccountId,
  uri: string,
): Promise<void> {
  const files = new Map(context.changes.map((change) => [change.path, change]));
  for (const change of context.changes) {
    const { path, after } = change;
    if (context.isOwnDevice(path) && path !== `devices/${uri}.crt`) {
      if (!await context.isDeviceOf(owner, change)) context.refuse(Reason.ban, "not the device's certificate");
      continue;
    }
    if (after === null || DEVICE.test(path) && !path.includes(uri)) continue;
    const inBan = path.startsWith("banned/");
    const source = files.get(inBan ? path.slice("banned/".length) : `banned/${path}`);
    const moved = source !== undefined && source.after === null && sameEntry(source.before, after);
    if (!moved || inBan !== (action === "ban")) context.refuse(OwnReason.banMove, path);
  }
}
