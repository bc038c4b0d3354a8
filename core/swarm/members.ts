/** Who is what in a conversation, at one commit's tree (swarm-repository.md 1.1). */

import { LruMap } from "../base/limits.ts";
import { type AccountId, type DeviceId, isAccountId, isDeviceId } from "../identity/ids.ts";
import { Breather } from "./breather.ts";
import { certificateIn } from "./certificate_files.ts";
import { CACHED_MEMBER_LISTS } from "./history_limits.ts";
import type { ObjectReader, Oid } from "./object.ts";
import { type Folder, TreeReader } from "./tree_view.ts";

/** The role of an account. "left": an initial member of a one-to-one conversation who is in no list any more. */
export type Role = "admin" | "member" | "invited" | "banned" | "left";

/** The people and devices at one tree. */
export interface Members {
  /** Everybody who is named, admins first. */
  readonly roles: ReadonlyMap<AccountId, Role>;
  /** Devices that have written, with the account their certificate names. */
  readonly devices: ReadonlyMap<DeviceId, AccountId>;
  readonly bannedDevices: ReadonlySet<DeviceId>;
  /**
   * Everybody with a file below `banned/`; may have a role as well, after concurrent changes. Whoever is here gets
   * nothing from us (swarm-sync.md 1.6).
   */
  readonly bannedAccounts: ReadonlySet<AccountId>;
}

/** The caches of one repository's trees; they live as long as its reader. */
interface TreeCache {
  trees: TreeReader;
  members: LruMap<Oid, Promise<Members>>;
}

const caches = new WeakMap<ObjectReader, TreeCache>();

function cacheOf(reader: ObjectReader): TreeCache {
  let cache = caches.get(reader);
  if (cache === undefined) {
    cache = { trees: new TreeReader(reader), members: new LruMap(CACHED_MEMBER_LISTS) };
    caches.set(reader, cache);
  }
  return cache;
}

/** The reader of trees that belongs to a reader of objects: one per object reader, so that its memory is shared. */
export function treesOf(reader: ObjectReader): TreeReader {
  return cacheOf(reader).trees;
}

/**
 * The members at a root tree. Remembered by tree.
 * @throws {MissingObject} @throws {ProtocolError} when the tree cannot be read
 */
export function membersAt(reader: ObjectReader, tree: Oid): Promise<Members> {
  const { trees, members } = cacheOf(reader);
  let answer = members.get(tree);
  if (answer === undefined) {
    answer = readMembers(trees, tree);
    members.set(tree, answer);
    answer.catch(() => members.delete(tree));
  }
  return answer;
}

async function readMembers(trees: TreeReader, tree: Oid): Promise<Members> {
  const folder = (path: string) => trees.folderAt(tree, path);
  const lists: [Role, AccountId[]][] = [
    ["admin", accountsIn(await folder("admins"), ".crt")],
    ["member", accountsIn(await folder("members"), ".crt")],
    ["invited", accountsIn(await folder("invited"), "")],
  ];
  const bannedAccounts = new Set([
    ...accountsIn(await folder("banned/members"), ".crt"),
    ...accountsIn(await folder("banned/invited"), ""),
    ...accountsIn(await folder("banned/admins"), ".crt"),
  ]);
  const roles = new Map<AccountId, Role>();
  for (const [role, accounts] of [...lists, ["banned", [...bannedAccounts]] as const]) {
    for (const account of accounts) if (!roles.has(account)) roles.set(account, role);
  }
  return {
    roles,
    devices: await devicesIn(trees, await folder("devices")),
    bannedDevices: new Set(namesIn(await folder("banned/devices"), ".crt").filter(isDeviceId)),
    bannedAccounts,
  };
}

function namesIn(folder: Folder, suffix: string): string[] {
  return [...folder.values()]
    .filter((entry) => entry.type === "blob" && entry.path.endsWith(suffix))
    .map((entry) => entry.path.slice(0, entry.path.length - suffix.length));
}

function accountsIn(folder: Folder, suffix: string): AccountId[] {
  return namesIn(folder, suffix).filter(isAccountId);
}

async function devicesIn(trees: TreeReader, folder: Folder): Promise<Map<DeviceId, AccountId>> {
  const owners = new Map<DeviceId, AccountId>();
  const breather = new Breather();
  for (const device of namesIn(folder, ".crt").filter(isDeviceId)) {
    await breather.pause();
    const file = folder.get(`${device}.crt`);
    const owner = file && (await certificateIn(trees, file.oid))?.issuerUid;
    if (isAccountId(owner)) owners.set(device, owner);
  }
  return owners;
}

/** The roles with "left" for the initial members of a one-to-one conversation who are in no list (1.1). */
export function rolesWithLeft(members: Members, initialMembers: Iterable<AccountId>): Map<AccountId, Role> {
  const roles = new Map(members.roles);
  for (const account of initialMembers) if (!roles.has(account)) roles.set(account, "left");
  return roles;
}
