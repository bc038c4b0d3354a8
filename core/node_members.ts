/** Who takes part in a conversation, with their devices and what these lack, in the words of the HTTP API. */

import { getLogger } from "@logtape/logtape";
import { messageOf } from "./base/errors.ts";
import { LruMap } from "./base/limits.ts";
import type { AccountId, DeviceId } from "./identity/ids.ts";
import type { DeviceInfo, MemberInfo, MembersApi, MembersPage, MembersQuery } from "./node_api.ts";
import type { NodeGaps } from "./node_gaps.ts";
import { knownConversation } from "./node_groups.ts";
import { banInfo } from "./node_moderation_view.ts";
import type { Calling } from "./node_names.ts";
import type { Relay } from "./relay/relay.ts";
import type { Store } from "./store/store.ts";
import type { Conversation } from "./swarm/conversation.ts";
import { type Role, rolesWithLeft } from "./swarm/members.ts";
import { type StoredMembers, storedMembers } from "./swarm/stored_members.ts";

const log = getLogger(["kituo", "node"]);

/** The order of the list. */
const RANKS: Role[] = ["admin", "member", "invited", "banned", "left"];

/** Left conversations whose members are remembered: looking at one asks several times. */
const LEFT_REMEMBERED = 4;

/** Whose members: of one that is open, or as they were when it was left. */
interface Roll extends StoredMembers {
  id: string;
  conversation?: Conversation;
}

/** Somebody in the list. */
interface Person {
  jamiId: AccountId;
  role: Role;
  /** where in the list: sorts as the list does */
  key: string;
}

export interface NodeMembersOptions {
  relay: Relay;
  store: Store;
  called: Calling;
  gaps: NodeGaps;
  /** where the repository of a conversation is */
  place(conversationId: string): string;
}

export class NodeMembers implements MembersApi {
  /** By conversation and by when it was left. */
  readonly #left = new LruMap<string, Promise<StoredMembers | null>>(LEFT_REMEMBERED);

  constructor(private readonly options: NodeMembersOptions) {}

  async list(id: string, { limit, after = "", q = "" }: MembersQuery): Promise<MembersPage> {
    const roll = await this.#roll(id);
    if (!roll) return { items: [], next: null, total: 0 };
    const words = q.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const found = peopleOf(roll).filter(({ jamiId }) => this.#fits(jamiId, words));
    const rest = found.filter(({ key }) => key > after);
    const part = rest.slice(0, limit);
    return {
      items: this.#described(roll, part),
      next: rest.length > part.length ? part[part.length - 1].key : null,
      total: found.length,
    };
  }

  /** The first of them, and how many there are. */
  async first(id: string, limit: number): Promise<{ members: MemberInfo[]; memberCount: number }> {
    const { items: members, total: memberCount } = await this.list(id, { limit });
    return { members, memberCount };
  }

  /** One of them; `undefined` when the account does not take part. */
  one(conversation: Conversation, account: AccountId): MemberInfo | undefined {
    const roll = rollOf(conversation);
    return this.#described(roll, peopleOf(roll).filter(({ jamiId }) => jamiId === account))[0];
  }

  async #roll(id: string): Promise<Roll | null> {
    const { relay, store, place } = this.options;
    const { state, removed } = knownConversation(store, id);
    const conversation = relay.conversations.get(id);
    if (conversation) return rollOf(conversation);
    if (state !== "left") return null;
    const key = `${id} ${removed}`;
    const stored = this.#left.get(key) ?? storedMembers(place(id), id).catch((error) => {
      log.info("the members of {id}, which was left, cannot be read: {error}", { id, error: messageOf(error) });
      return null;
    });
    this.#left.set(key, stored);
    const known = await stored;
    return known && { id, ...known };
  }

  #fits(account: AccountId, words: readonly string[]): boolean {
    if (words.length === 0) return true;
    const { name, registeredName } = this.options.called(account);
    const text = `${name} ${registeredName}`.toLowerCase();
    return words.every((word) => text.includes(word) || account.startsWith(word));
  }

  #described(roll: Roll, people: readonly Person[]): MemberInfo[] {
    const { relay, store, called } = this.options;
    const { presence } = relay.account;
    const { bannedDevices } = roll.members;
    const known = this.#devices(roll, new Set(people.map(({ jamiId }) => jamiId)));
    const bans = new Map(store.conversationBans.of(roll.id).map((ban) => [ban.target, ban]));
    const lags = this.#lags(roll);
    const peers = relay.connections.connections().map(({ peer }) => peer);
    const connected = new Set<string>(peers.flatMap(({ account, device }) => [account, device]));
    return people.map(({ jamiId, role }) => ({
      jamiId,
      ...called(jamiId),
      role,
      ban: banInfo(bans.get(jamiId)),
      online: jamiId === relay.self || connected.has(jamiId) || presence.isOnline(jamiId),
      devices: [...known.get(jamiId) ?? []].map(([deviceId, at]): DeviceInfo => ({
        deviceId,
        lag: lags.get(deviceId) ?? null,
        online: deviceId === relay.device || connected.has(deviceId) || presence.isPresent(jamiId, deviceId),
        lastSeen: lastSeen(store.certificates.seen(deviceId), at),
        banned: bannedDevices.has(deviceId),
        ban: banInfo(bans.get(deviceId)),
      })),
    }));
  }

  /** How many commits each device is known to lack; of the others, and of a conversation that was left, nothing is known. */
  #lags({ conversation }: Roll): Map<DeviceId, number> {
    if (!conversation) return new Map();
    const { gaps, relay } = this.options;
    return new Map(gaps.of(conversation).map(({ device, count }) => [device, count] as const)).set(relay.device, 0);
  }

  /** The devices of these people that are known from anywhere, each with when it was last heard of in the conversation (ms). */
  #devices({ id, members }: Roll, people: ReadonlySet<AccountId>): Map<AccountId, Map<DeviceId, number>> {
    const { relay, store } = this.options;
    const devices = new Map<AccountId, Map<DeviceId, number>>();
    const add = (account: AccountId | undefined, device: DeviceId, at = 0) => {
      if (account === undefined || !people.has(account)) return;
      const known = devices.get(account) ?? new Map<DeviceId, number>();
      devices.set(account, known.set(device, Math.max(at, known.get(device) ?? 0)));
    };
    for (const [device, account] of members.devices) add(account, device);
    for (const { device, account, at } of store.ledger.forConversation(id)) add(account, device, at);
    for (const device of members.bannedDevices) add(store.certificates.byDevice(device)?.account, device);
    for (const account of people) {
      for (const { longId } of relay.account.presence.devices(account)) add(account, longId);
    }
    return devices;
  }
}

function rollOf(conversation: Conversation): Roll {
  const { id, members, facts: { initialMembers } } = conversation;
  return { id, conversation, members, initialMembers };
}

/** Everybody, in the order of the list. */
function peopleOf({ members, initialMembers }: Roll): Person[] {
  return [...rolesWithLeft(members, initialMembers)]
    .map(([jamiId, role]) => ({ jamiId, role, key: `${RANKS.indexOf(role)}-${jamiId}` }))
    .sort((a, b) => a.key < b.key ? -1 : 1);
}

/** The latest of these times (ms), in seconds. */
function lastSeen(...times: (number | undefined)[]): number | null {
  const latest = Math.max(0, ...times.map((time) => time ?? 0));
  return latest === 0 ? null : Math.floor(latest / 1000);
}
