/** Profiles of people: theirs are taken in as they send them, ours is given to each device of the members once until it changes (swarm-sync.md 6.5). */

import { getLogger } from "@logtape/logtape";
import { createHash } from "node:crypto";
import { type Bytes, concat } from "../base/bytes.ts";
import { type Clock, seconds } from "../base/clock.ts";
import { KituoError, LimitError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap, TokenBucket, within } from "../base/limits.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import { type ChannelName, writeChannelName } from "../messaging/channel_name.ts";
import { ChannelWriter } from "../messaging/channel_writer.ts";
import { MAX_VCARD } from "../messaging/constants.ts";
import { isVcard, vcardName } from "../messaging/vcard.ts";
import type { Generation } from "../store/certificates.ts";
import type { Store } from "../store/store.ts";
import type { Channel, Connection } from "../transport/channel.ts";
import {
  FILE_CHUNK,
  PROFILE_ATTEMPTS,
  PROFILE_BURST,
  PROFILE_RATE,
  PROFILE_RATES_KEPT,
  PROFILE_TIMEOUT_MS,
} from "./constants.ts";
import type { Conversations } from "./conversations.ts";

const log = getLogger(["kituo", "relay"]);

/** Under this name the store keeps which profile of ours was the last, and since when. */
const OWN_PROFILE = "profile";

/** A channel by which a profile is sent, or asked for. */
type ProfilePush = Extract<ChannelName, { kind: "profile" }>;
type ProfileRequest = Extract<ChannelName, { kind: "profile-request" }>;

export interface ProfilesOptions {
  store: Store;
  clock: Clock;
  /** The node's own account and device. */
  account: AccountId;
  device: DeviceId;
  /** Our own profile. */
  vcard: Bytes;
  conversations: Pick<Conversations, "get" | "of">;
  /** Those that are up. */
  connections(): Connection[];
}

export type ProfilesEvents = {
  /** An account sent its profile. */
  received: { account: AccountId };
};

export class Profiles extends Emitter<ProfilesEvents> {
  #version: { sha3: string; modified: number };
  #vcard: Bytes;
  #rates = new LruMap<AccountId, TokenBucket>(PROFILE_RATES_KEPT);
  #attempts = new WeakMap<Connection, number>();
  #offering = new Set<DeviceId>();
  #channels = new Set<Channel>();

  constructor(private readonly options: ProfilesOptions) {
    super();
    this.#vcard = options.vcard;
    this.#version = versionOf(options, options.vcard);
  }

  /** Our profile is another from now on: those who are connected get it at once, the others when they connect next. */
  change(vcard: Bytes): void {
    this.#vcard = vcard;
    this.#version = versionOf(this.options, vcard);
    this.#attempts = new WeakMap();
    for (const connection of this.options.connections()) this.offer(connection);
  }

  /** Ends what comes in and goes out. */
  stop(): void {
    for (const channel of this.#channels) channel.close();
  }

  /** What to do with a profile that a peer wants to send; `null` declines it. Only its own, by its certificate, is taken. */
  accept(wanted: ProfilePush, { peer }: Connection): ((channel: Channel) => void) | null {
    const { conversations, account } = this.options;
    const mayWrite = conversations.get(wanted.conversation)?.mayFetch(peer) && wanted.device === peer.device;
    if (!mayWrite || peer.account === account || !this.#rate(peer.account).take()) return null;
    return (channel) => this.#within(channel, () => this.#take(channel, wanted.version?.modified ?? 0));
  }

  /** What to do with a wish for a profile: members get ours, our own devices also those of others. `null` declines it. */
  answer(wanted: ProfileRequest, { peer }: Connection): ((channel: Channel) => void) | null {
    const { conversations, account, store } = this.options;
    const isOwn = wanted.account === account;
    if (!conversations.get(wanted.conversation)?.mayFetch(peer)) return null;
    if (!isOwn && peer.account !== account || !this.#rate(peer.account).take()) return null;
    return (channel) =>
      this.#within(channel, async () => {
        // nothing at all means "no profile"
        const answer = isOwn ? this.#vcard : store.profiles.get(wanted.account)?.vcard ?? new Uint8Array();
        await this.#send(channel, answer);
      });
  }

  /** Gives the peer's device our profile, if it has not got it yet and shares a conversation with us. */
  async offer(connection: Connection, generation = this.#generation(connection)): Promise<void> {
    const { store, clock, conversations, device } = this.options;
    const { peer } = connection;
    if (peer.account === this.options.account) return; // each of our devices has its own
    const attempts = this.#attempts.get(connection) ?? 0;
    const conversation = conversations.of(peer.account).find((one) => one.mayFetch(peer));
    if (!conversation || attempts >= PROFILE_ATTEMPTS || this.#offering.has(peer.device)) return;
    if (store.profiles.sent(peer.device) === this.#version.sha3) return;
    this.#attempts.set(connection, attempts + 1);
    this.#offering.add(peer.device);
    try {
      const version = generation === "msg" ? this.#version : null; // 2023's daemon takes the bare name only
      const name = writeChannelName({ kind: "profile", conversation: conversation.id, device, version });
      const channel = await connection.open(name);
      await this.#within(channel, async () => {
        await this.#send(channel, this.#vcard);
        store.profiles.setSent(peer.device, this.#version.sha3, clock.now());
      });
    } catch (error) {
      log.debug("{device} did not take our profile: {error}", { device: peer.device, error: messageOf(error) });
    } finally {
      this.#offering.delete(peer.device);
    }
  }

  #generation({ peer }: Connection): Generation | undefined {
    return this.options.store.certificates.byDevice(peer.device)?.generation;
  }

  async #take(channel: Channel, modified: number): Promise<void> {
    const { store, clock } = this.options;
    const vcard = await readAll(channel);
    if (!isVcard(vcard)) return; // 2023's daemon sends nothing at all when it has no profile
    const { account } = channel.peer;
    const name = vcardName(vcard);
    if (store.profiles.put({ account, name, vcard, modified, received: clock.now() })) {
      this.emit("received", { account });
    }
  }

  async #send(channel: Channel, bytes: Bytes): Promise<void> {
    const writer = new ChannelWriter(channel, this.options.clock);
    for (let at = 0; at < bytes.length; at += FILE_CHUNK) await writer.write(bytes.slice(at, at + FILE_CHUNK));
  }

  /** Runs the work of a channel within its time, and closes it afterwards. Never rejects. */
  async #within(channel: Channel, work: () => Promise<void>): Promise<void> {
    this.#channels.add(channel);
    try {
      await within(this.options.clock, PROFILE_TIMEOUT_MS, "a profile", work());
    } catch (error) {
      const details = { device: channel.peer.device, error: messageOf(error) };
      if (error instanceof KituoError) log.info("a profile with {device}: {error}", details);
      else log.error("a profile with {device}: {error}", details);
    } finally {
      channel.close();
      this.#channels.delete(channel);
    }
  }

  #rate(account: AccountId): TokenBucket {
    const rate = this.#rates.get(account) ?? new TokenBucket(this.options.clock, PROFILE_RATE, PROFILE_BURST);
    this.#rates.set(account, rate);
    return rate;
  }
}

/** All that comes on a channel until it ends. @throws {LimitError} when that is more than a profile has */
async function readAll(channel: Channel): Promise<Bytes> {
  const chunks: Bytes[] = [];
  let size = 0;
  for await (const chunk of channel.readable) {
    size += chunk.length;
    if (size > MAX_VCARD) throw new LimitError("profile", "too large");
    chunks.push(chunk);
  }
  return concat(...chunks);
}

/** The hash of our profile, and since when (s) it is as it is. */
function versionOf({ store, clock }: ProfilesOptions, vcard: Bytes): { sha3: string; modified: number } {
  const sha3 = createHash("sha3-512").update(vcard).digest("hex");
  const [known, since] = store.settings.get(OWN_PROFILE)?.split(" ") ?? [];
  if (known === sha3) return { sha3, modified: Number(since) };
  const modified = seconds(clock);
  store.settings.set(OWN_PROFILE, `${sha3} ${modified}`);
  return { sha3, modified };
}
