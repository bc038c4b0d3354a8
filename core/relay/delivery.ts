/**
 * The delivery ledger: which device is known to hold what, and the telling of devices that lack something until they are seen to have it
 * (swarm-sync.md 8.2, items 3 and 5). What a device holds is learnt from what it fetches, what it advertises and what it announces.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { Notification } from "../messaging/payload.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import type { Connection } from "../transport/channel.ts";
import { AFTER_SERVING_MS, HEADS_PER_DEVICE, NOTIFY_DISTANCE_MS, RENOTIFY_MS, RETELL_INVITED_MS } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

export interface DeliveryOptions {
  store: Store;
  clock: Clock;
  device: DeviceId;
  /** A live connection to the device. */
  live(device: DeviceId): Connection | undefined;
  notify(connection: Connection, notification: Notification): Promise<void>;
  /** The device was told again and again without effect: ask it what it has. */
  check(conversation: Conversation, connection: Connection): void;
}

/** The telling of one device about one conversation. */
interface Telling {
  /** How often it was told since there was something new. */
  told: number;
  /** When it was told last, ms. */
  at: number;
  /** Exchanges in which it is being served now. */
  serving: number;
  /** Ends the wait for the next time, if there is one. */
  cancel: (() => void) | null;
}

export type DeliveryEvents = {
  /** A device was seen to hold more than was known. */
  held: { conversation: Conversation; device: DeviceId };
};

export class Delivery extends Emitter<DeliveryEvents> {
  #tellings = new Map<string, Telling>();
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
      telling.told = 0;
      if (!telling.cancel) this.#in(telling, RENOTIFY_MS[0], conversation, device);
    }
    this.emit("held", { conversation, device });
  }

  /** Tells the device what it lacks, if it lacks anything and is connected: something new came in, or the device. */
  tell(conversation: Conversation, device: DeviceId): void {
    const telling = this.#telling(conversation, device);
    telling.told = 0;
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
    const telling: Telling = { told: 0, at: 0, serving: 0, cancel: null };
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
    const commit = conversation.newestLacking(this.held(conversation, device));
    if (!connection || !commit || telling.serving > 0 || !conversation.mayFetch(connection.peer)) return;
    if (telling.told >= RENOTIFY_MS.length) {
      const { account } = connection.peer;
      if (conversation.members.roles.get(account) !== "invited") return this.options.check(conversation, connection);
      // Who has not accepted yet ignores it, and 2023's daemon asks only the inviter once it has: it is told again and again.
      telling.told = RENOTIFY_MS.length - 1;
      return this.#in(telling, RETELL_INVITED_MS, conversation, device);
    }
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
}

function key(conversation: Conversation, device: DeviceId): string {
  return `${conversation.id}/${device}`;
}
