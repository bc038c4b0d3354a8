/**
 * The delivery ledger: which device is known to hold what, and the telling of devices that lack something until they are seen to have it
 * (swarm-sync.md 8.2, items 3 and 5). What a device holds is learnt from what it fetches, what it advertises and what it announces.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { Peer } from "../identity/chain.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { Notification } from "../messaging/payload.ts";
import type { Generation } from "../store/certificates.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import type { Connection } from "../transport/channel.ts";
import {
  AFTER_INVITER_MS,
  AFTER_SERVING_MS,
  HEADS_PER_DEVICE,
  INTRODUCTION_MS,
  INVITER_LOOK_MS,
  LEFT_TO_INVITER_MS,
  MAX_FAILED_DELIVERIES,
  NOTIFY_DISTANCE_MS,
  RENOTIFY_MS,
  RETELL_FIRST_MS,
  RETELL_INVITED_MS,
  RETELL_LONGEST_MS,
  VERIFY_MS,
} from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

export interface DeliveryOptions {
  store: Store;
  clock: Clock;
  device: DeviceId;
  /** A live connection to the device. */
  live(device: DeviceId): Connection | undefined;
  notify(connection: Connection, notification: Notification): Promise<void>;
  /** What the device speaks, if that is known. */
  generation(device: DeviceId): Generation | undefined;
  /** Is somebody there of whom the invited account can clone without us: its inviter, when that is another 2023 daemon? */
  inviterIsThere(conversation: Conversation, invited: AccountId): boolean;
  /** Ask the device what it has: it was told again and again without effect, or it was served a while ago. */
  check(conversation: Conversation, connection: Connection): void;
}

/** The telling of one device about one conversation. */
interface Telling {
  /** How often it was told since there was something new. */
  told: number;
  /** The wait after all of that was in vain, ms. */
  patience: number;
  /** It is invited, and left to its inviter until then, ms; 0 = nothing of the kind happened yet. */
  leftUntil: number;
  /** When it was told last, ms. */
  at: number;
  /** Exchanges in which it is being served now. */
  serving: number;
  /** When it was served last, ms, while it is not known whether it took what it got; else 0. */
  served: number;
  /** How often it did not take what it got, since there was something new. */
  failed: number;
  /** Ends the wait for the next time, if there is one. */
  cancel: (() => void) | null;
}

/** Devices that wrote in a conversation for the first time. */
interface Introduction {
  devices: readonly DeviceId[];
  /** Until when they may speak first, ms. */
  until: number;
  /** The head before they wrote. */
  head: Oid;
}

export type DeliveryEvents = {
  /** A device was seen to hold more than was known. */
  held: { conversation: Conversation; device: DeviceId };
};

export class Delivery extends Emitter<DeliveryEvents> {
  #tellings = new Map<string, Telling>();
  /** By conversation, the newest last: new devices there, until when they may speak first, and the head before they wrote. */
  #introductions = new Map<Oid, Introduction[]>();
  #stopped = false;

  constructor(private readonly options: DeliveryOptions) {
    super();
  }

  stop(): void {
    this.#stopped = true;
    this.#forget(() => true);
  }

  /** The commits that the device is known to hold, with all before them. */
  held(conversation: Conversation, device: DeviceId): Oid[] {
    return this.options.store.ledger.get(conversation.id, device)?.heads ?? [];
  }

  /** The device was seen to hold `commit` and everything before it. */
  holds(conversation: Conversation, account: AccountId, device: DeviceId, commit: Oid): void {
    if (!conversation.has(commit)) return;
    const before = this.held(conversation, device).filter((head) => conversation.has(head));
    if (before.some((head) => conversation.holds(head, commit))) return;
    const heads = [commit, ...before.filter((head) => !conversation.holds(commit, head))].slice(0, HEADS_PER_DEVICE);
    this.options.store.ledger.set({
      conversation: conversation.id,
      device,
      account,
      heads,
      at: this.options.clock.now(),
    });
    const telling = this.#tellings.get(key(conversation, device));
    if (telling) {
      const isIdle = !telling.cancel || telling.told >= RENOTIFY_MS.length - 1;
      telling.told = 0;
      telling.patience = RETELL_FIRST_MS;
      if (isIdle) this.#in(telling, RENOTIFY_MS[0], conversation, device);
    }
    this.emit("held", { conversation, device });
  }

  /** The device showed its head: these commits of ours, with all before them, and no others. */
  shows(conversation: Conversation, account: AccountId, device: DeviceId, tips: readonly Oid[]): void {
    const known = tips.filter((tip) => conversation.has(tip));
    const covered = (head: Oid) => known.some((tip) => conversation.holds(tip, head));
    const telling = this.#tellings.get(key(conversation, device));
    const now = this.options.clock.now();
    // what it showed may be from before it was served
    const isTooEarly = telling !== undefined && (telling.serving > 0 || now - telling.served < VERIFY_MS);
    if (telling && !isTooEarly) telling.served = 0;
    const held = this.held(conversation, device).filter((head) => conversation.has(head));
    if (known.length === 0 || isTooEarly || held.every(covered)) {
      for (const tip of known) this.holds(conversation, account, device, tip);
      return;
    }
    log.info("{device} did not take what it got of {id}", { device, id: conversation.id });
    const heads = known.slice(0, HEADS_PER_DEVICE);
    this.options.store.ledger.set({ conversation: conversation.id, device, account, heads, at: now });
    if (telling && ++telling.failed <= MAX_FAILED_DELIVERIES) {
      telling.told = 0;
      this.#in(telling, NOTIFY_DISTANCE_MS, conversation, device);
    }
    this.emit("held", { conversation, device });
  }

  /** Devices wrote here for the first time, on top of `head`: 2023's others get it when these have had time to make themselves known. */
  introduce(conversation: Conversation, devices: readonly DeviceId[], head: Oid): void {
    const now = this.options.clock.now();
    for (const [id, all] of this.#introductions) {
      const open = all.filter(({ until }) => until > now);
      if (open.length) this.#introductions.set(id, open);
      else this.#introductions.delete(id);
    }
    const open = this.#introductions.get(conversation.id) ?? [];
    this.#introductions.set(conversation.id, [...open, { devices, until: now + INTRODUCTION_MS, head }]);
  }

  /** The head that the peer may see now. */
  headFor(conversation: Conversation, peer: Peer): Oid {
    return this.#introduction(conversation, peer)?.head ?? conversation.head;
  }

  /** What the peer must wait for: not today's, who read certificates from the commits, nor the invited, whose clone is no fetch. */
  #introduction(conversation: Conversation, { account, device }: Peer): { until: number; head: Oid } | null {
    const now = this.options.clock.now();
    const open = (this.#introductions.get(conversation.id) ?? [])
      .filter(({ devices, until }) => until > now && devices.some((one) => one !== device)); // nobody waits for itself
    if (open.length === 0) return null;
    if (conversation.members.roles.get(account) === "invited" || this.options.generation(device) === "msg") return null;
    return { until: open[open.length - 1].until, head: open[0].head };
  }

  /** Tells the device what it lacks, if it lacks anything and is connected: something new came in, or the device. */
  tell(conversation: Conversation, device: DeviceId): void {
    const telling = this.#telling(conversation, device);
    telling.told = 0;
    telling.patience = RETELL_FIRST_MS;
    telling.failed = 0;
    if (telling.serving > 0) return; // what comes in the middle of a fetch is dropped by 2023's peers: told afterwards
    const since = this.options.clock.now() - telling.at;
    this.#in(telling, Math.max(0, NOTIFY_DISTANCE_MS - since), conversation, device);
  }

  /** The device begins a fetch from us; call the result when it has ended. */
  serve(conversation: Conversation, device: DeviceId): () => void {
    const telling = this.#telling(conversation, device);
    telling.serving++;
    return () => {
      telling.serving--;
      telling.served = this.options.clock.now();
      if (this.#tellings.get(key(conversation, device)) !== telling) return; // gone meanwhile
      this.#in(telling, AFTER_SERVING_MS, conversation, device);
    };
  }

  /** Forgets the device's open tellings: it has no connection any more. */
  gone(device: DeviceId): void {
    this.#forget((name) => name.endsWith(device));
  }

  /** Forgets the open tellings about a conversation: it ended for us. */
  drop(id: Oid): void {
    this.#forget((name) => name.startsWith(id));
  }

  #forget(which: (name: string) => boolean): void {
    for (const [name, telling] of this.#tellings) {
      if (!which(name)) continue;
      telling.cancel?.();
      this.#tellings.delete(name);
    }
  }

  #telling(conversation: Conversation, device: DeviceId): Telling {
    const name = key(conversation, device);
    const known = this.#tellings.get(name);
    if (known) return known;
    const telling: Telling = {
      told: 0,
      patience: RETELL_FIRST_MS,
      leftUntil: 0,
      at: 0,
      serving: 0,
      served: 0,
      failed: 0,
      cancel: null,
    };
    this.#tellings.set(name, telling);
    return telling;
  }

  #in(telling: Telling, ms: number, conversation: Conversation, device: DeviceId): void {
    telling.cancel?.();
    telling.cancel = null;
    if (this.#stopped) return;
    if (ms <= 0) return this.#say(telling, conversation, device);
    telling.cancel = this.options.clock.after(ms, () => {
      telling.cancel = null;
      this.#say(telling, conversation, device);
    });
  }

  #say(telling: Telling, conversation: Conversation, device: DeviceId): void {
    const connection = this.options.live(device);
    if (!connection || telling.serving > 0 || !conversation.mayFetch(connection.peer)) return;
    const commit = conversation.newestLacking(this.held(conversation, device));
    if (!commit) return this.#verify(telling, conversation, connection);
    const introduction = this.#introduction(conversation, connection.peer);
    if (introduction) return this.#in(telling, introduction.until - this.options.clock.now(), conversation, device);
    if (this.#isLeftToInviter(telling, conversation, connection.peer)) {
      return this.#in(telling, INVITER_LOOK_MS, conversation, device);
    }
    if (telling.told >= RENOTIFY_MS.length) return this.#inVain(telling, conversation, connection);
    const wait = RENOTIFY_MS[telling.told++];
    telling.at = this.options.clock.now();
    log.debug("telling {device} of {commit}", { device, commit });
    this.options.notify(connection, {
      kind: "notification",
      commit,
      device: this.options.device,
      conversation: conversation.id,
    }).catch((
      error,
    ) => log.debug("{device} was not told of a commit: {error}", { device, error: messageOf(error) }));
    this.#in(telling, wait, conversation, device);
  }

  /** Is it for the inviter alone to speak with this device now? */
  #isLeftToInviter(telling: Telling, conversation: Conversation, { account, device }: Peer): boolean {
    const { clock, generation, inviterIsThere } = this.options;
    if (conversation.members.roles.get(account) !== "invited" || generation(device) === "msg") return false;
    if (!inviterIsThere(conversation, account)) return false;
    const now = clock.now();
    telling.leftUntil ||= now + LEFT_TO_INVITER_MS;
    if (telling.leftUntil > now) return true;
    telling.leftUntil = now + AFTER_INVITER_MS;
    return false;
  }

  /** It was told again and again, and does not have it yet. */
  #inVain(telling: Telling, conversation: Conversation, connection: Connection): void {
    const { account, device } = connection.peer;
    telling.told = RENOTIFY_MS.length - 1; // once more after the wait
    // Who has not accepted yet ignores it, and 2023's daemon asks only the inviter once it has.
    if (conversation.members.roles.get(account) === "invited") {
      return this.#in(telling, RETELL_INVITED_MS, conversation, device);
    }
    this.#in(telling, telling.patience, conversation, device);
    telling.patience = Math.min(2 * telling.patience, RETELL_LONGEST_MS);
    this.options.check(conversation, connection);
  }

  /** It was served all we have: later it is asked whether it took it. */
  #verify(telling: Telling, conversation: Conversation, connection: Connection): void {
    if (telling.served === 0) return;
    telling.cancel?.();
    telling.cancel = this.options.clock.after(VERIFY_MS, () => {
      telling.cancel = null;
      if (telling.served > 0) this.options.check(conversation, connection);
    });
  }
}

function key(conversation: Conversation, device: DeviceId): string {
  return `${conversation.id}/${device}`;
}
