/** Writing who takes part: new conversations, invitations, joining, leaving, bans (swarm-repository.md 3, 4). */

import { type AccountId, type DeviceId, isAccountId, isDeviceId } from "../identity/ids.ts";
import { buildCommit, jsonMessage, memberMessage, signatureName } from "./commit.ts";
import { Mode, readCommit } from "./conversation_facts.ts";
import { devicePath } from "./author.ts";
import { voteBeforeBan } from "./device_unban_vote.ts";
import { type Members, membersAt, type Role, treesOf } from "./members.ts";
import { blob, type Oid } from "./object.ts";
import { emptyReader } from "./overlay.ts";
import { type Profile, PROFILE_PATH, writeProfile } from "./profile.ts";
import { profileAt } from "./read_profile.ts";
import { editTree, file } from "./tree_edit.ts";
import { TreeReader } from "./tree_view.ts";
import { countingVotes, isDecided } from "./votes.ts";
import {
  certificateBlobs,
  introduced,
  thenWrite,
  writeCommit,
  WriteConflict,
  type WriteContext,
  WriteRefused,
  type Written,
} from "./write.ts";

/** Invitations and votes. */
const EMPTY = blob(new Uint8Array());

/** The lists that somebody can be banned from; each has a folder of that name. */
type List = "admins" | "members" | "invited" | "devices";

/** What a new conversation is. Documents (mode 4) are not made by Kituo. */
export type NewConversation =
  | { mode: typeof Mode.oneToOne; invited: AccountId }
  | { mode: typeof Mode.adminInvitesOnly | typeof Mode.invitesOnly | typeof Mode.public };

/**
 * The initial commit; its id is the conversation's. Same device, second and mode give the same conversation (3.1): the
 * caller makes at most one per second.
 * @throws {WriteRefused} when the invited is no account, or our chain is incomplete
 */
export async function createConversation(
  context: Omit<WriteContext, "reader" | "head">,
  conversation: NewConversation,
): Promise<Written> {
  const { identity } = context;
  const invited = conversation.mode === Mode.oneToOne ? conversation.invited : null;
  if (invited !== null && !isAccountId(invited)) throw new WriteRefused("not an account id");
  const { account, device } = certificateBlobs(identity);
  const edits = new Map([
    [`admins/${identity.account}.crt`, file(account.oid)],
    [devicePath(identity.device), file(device.oid)],
    ...invited === null ? [] : [[`invited/${invited}`, file(EMPTY.oid)] as const],
  ]);
  const { tree, objects } = await editTree(new TreeReader(emptyReader), null, edits);
  const body = { type: "initial", mode: conversation.mode, ...(invited === null ? {} : { invited }) };
  const commit = await buildCommit({
    tree,
    parents: [],
    name: signatureName(context.displayName, identity.device),
    device: identity.device,
    timestamp: Math.floor(context.now / 1000),
    message: jsonMessage(body),
  }, identity.key);
  const empty = invited === null ? [] : [EMPTY];
  return { objects: [account, device, ...empty, ...objects, commit], head: commit.oid, commits: [commit.oid] };
}

/**
 * Our role, which must be one that may write.
 * @throws {WriteRefused} otherwise
 */
export async function requireWritingRole(context: WriteContext): Promise<{ members: Members; role: Role; tree: Oid }> {
  const { tree } = await readCommit(context.reader, context.head);
  const members = await membersAt(context.reader, tree);
  const role = members.roles.get(context.identity.account);
  if (role !== "admin" && role !== "member") throw new WriteRefused("we are no member of this conversation");
  if (members.bannedDevices.has(context.identity.device)) throw new WriteRefused("this device is banned here");
  return { members, role, tree };
}

/**
 * Invites somebody. Who is banned must be un-banned instead.
 * @throws {WriteRefused} when we are no member; {WriteConflict} when the account is in already, invited or banned
 */
export async function invite(context: WriteContext, uri: AccountId): Promise<Written> {
  const { members } = await requireWritingRole(context);
  if (!isAccountId(uri)) throw new WriteRefused("not an account id");
  if (members.bannedAccounts.has(uri)) throw new WriteConflict("the account is banned");
  if (members.roles.has(uri)) throw new WriteConflict(`the account is ${members.roles.get(uri)} already`);
  return await writeCommit(context, {
    message: memberMessage("add", uri),
    edits: new Map([[`invited/${uri}`, file(EMPTY.oid)]]),
    objects: [EMPTY],
    certificates: "add",
  });
}

/** Accepts our invitation. @throws {WriteRefused} when there is none */
export async function join(context: WriteContext): Promise<Written> {
  const { reader, head, identity } = context;
  const { roles } = await membersAt(reader, (await readCommit(reader, head)).tree);
  const role = roles.get(identity.account);
  if (role !== "invited") throw new WriteRefused(role ? `we are ${role} already` : "we are not invited");
  const { account } = certificateBlobs(identity);
  return await writeCommit(context, {
    message: memberMessage("join", identity.account),
    edits: new Map([[`invited/${identity.account}`, null], [`members/${identity.account}.crt`, file(account.oid)]]),
    objects: [account],
    certificates: "add",
  });
}

/**
 * Leaves: our account's certificate and all its devices go, as with today's daemons. A device that never wrote here shows
 * itself first: everybody would refuse its leaving else (4.0).
 * @throws {WriteRefused} when we are no member
 */
export async function leave(context: WriteContext): Promise<Written> {
  await requireWritingRole(context);
  return await introduced(context, async (next) => {
    const { members, tree } = await requireWritingRole(next);
    const { account } = next.identity;
    const devices = [...members.devices].filter(([, owner]) => owner === account).map(([device]) => devicePath(device));
    const gone = [`admins/${account}.crt`, `members/${account}.crt`, ...devices];
    const edits = new Map<string, null>();
    for (const path of gone) if (await treesOf(next.reader).file(tree, path)) edits.set(path, null);
    return await writeCommit(next, { message: memberMessage("remove", account), edits, certificates: "none" });
  });
}

/** Changes the given parts of the profile; the others stay. @throws {WriteRefused} when we are no admin */
export async function updateProfile(context: WriteContext, changes: Partial<Profile>): Promise<Written> {
  const { tree } = await requireAdmin(context);
  const profile = await profileAt(context.reader, tree);
  const now = blob(writeProfile({ ...profile, ...changes }));
  return await introduced(context, (next) =>
    writeCommit(next, {
      message: jsonMessage({ type: "application/update-profile" }),
      edits: new Map([[PROFILE_PATH, file(now.oid)]]),
      objects: [now],
      certificates: "none",
    }));
}

/**
 * Votes to ban a person or device and, when that decides it, writes the ban.
 * @returns one commit or two; the second only when the votes suffice
 * @throws {WriteRefused} when we are no admin, or the target is ourselves; {WriteConflict} when it is not there
 */
export function ban(context: WriteContext, target: AccountId | DeviceId): Promise<Written> {
  return decide(context, "ban", target);
}

/** Votes to end a ban and, when that decides it, writes it: the target is again what it was. @throws {WriteRefused} */
export function unban(context: WriteContext, target: AccountId | DeviceId): Promise<Written> {
  return decide(context, "unban", target);
}

async function requireAdmin(context: WriteContext): Promise<{ tree: Oid }> {
  const { role, tree } = await requireWritingRole(context);
  if (role !== "admin") throw new WriteRefused("only admins may do this");
  return { tree };
}

/** Where somebody is: the list, and the name of the file in it. */
interface Place {
  list: List;
  name: string;
}

async function decide(context: WriteContext, action: "ban" | "unban", target: string): Promise<Written> {
  const { account, device } = context.identity;
  if (target === account || target === device) throw new WriteRefused("nobody votes against itself");
  const { tree } = await requireAdmin(context);
  const place = await findPlace(context, tree, action, target);
  const vote = `votes/${action}/${place.list}/${target}/${account}`;
  const hasVoted = await treesOf(context.reader).file(tree, vote) !== null;
  const voted = hasVoted
    ? nothingWritten(context)
    : action === "unban" && place.list === "devices"
    ? await voteBeforeBan(context, target, vote)
    : await writeVote(context, target, vote);
  return await thenWrite(context, voted, (next) => resolveVotes(next, action, place, target));
}

function writeVote(context: WriteContext, target: string, path: string): Promise<Written> {
  return writeCommit(context, {
    message: jsonMessage({ type: "vote", uri: target }),
    edits: new Map([[path, file(EMPTY.oid)]]),
    objects: [EMPTY],
    certificates: "add",
  });
}

function nothingWritten({ head }: WriteContext): Written {
  return { objects: [], head, commits: [] };
}

async function findPlace(context: WriteContext, tree: Oid, action: "ban" | "unban", target: string): Promise<Place> {
  const prefix = action === "ban" ? "" : "banned/";
  const lists: List[] = isDeviceId(target) ? ["devices"] : ["admins", "members", "invited"];
  for (const list of lists) {
    const name = list === "invited" ? target : `${target}.crt`;
    if (await treesOf(context.reader).file(tree, `${prefix}${list}/${name}`) !== null) return { list, name };
  }
  throw new WriteConflict(action === "ban" ? "the target is not in this conversation" : "the target is not banned");
}

/** Counts the votes and, when more than half of the admins want it, moves the target's file. */
async function resolveVotes(
  context: WriteContext,
  action: "ban" | "unban",
  { list, name }: Place,
  target: string,
): Promise<Written> {
  const trees = treesOf(context.reader);
  const { tree } = await readCommit(context.reader, context.head);
  const box = `votes/${action}/${list}/${target}`;
  const votes = [...(await trees.folderAt(tree, box)).keys()];
  const admins = await trees.folderAt(tree, "admins");
  if (!isDecided(countingVotes(votes, admins).length, admins.size)) return nothingWritten(context);
  const [from, to] = action === "ban" ? ["", "banned/"] : ["banned/", ""];
  const moved = await trees.file(tree, `${from}${list}/${name}`);
  if (moved === null) throw new WriteRefused("the target is gone");
  return await writeCommit(context, {
    message: memberMessage(action, target),
    edits: new Map([
      ...votes.map((voter) => [`${box}/${voter}`, null] as const),
      [`${from}${list}/${name}`, null],
      [`${to}${list}/${name}`, moved],
    ]),
    certificates: "add",
  });
}
