/** How the node does: numbers taken every few seconds, the last hour of them kept, for the console's first page. */

import { type Clock, every } from "./base/clock.ts";
import { recentWarnings } from "./logging.ts";
import type { NodeInfo, Overview, OverviewNow, Readiness, Sample, WaitingInfo } from "./node_api.ts";
import { storageInfo } from "./node_view.ts";
import type { Relay } from "./relay/relay.ts";
import type { DeviceHeads } from "./store/ledger.ts";
import type { Store } from "./store/store.ts";
import type { Conversation } from "./swarm/conversation.ts";

/** A point of the charts, ms. */
const SAMPLE_EVERY_MS = 10_000;
/** Samples kept: an hour. */
const SAMPLES_KEPT = 360;
/** How often it is looked whether the event loop is late, ms. */
const LOOP_CHECK_MS = 250;
/** After something happened, watchers get new numbers this much later, ms: one commit brings several events. */
const SOON_MS = 1_000;

export interface OverviewOptions {
  clock: Clock;
  relay: Relay;
  store: Store;
  info(): NodeInfo;
  ready(): Readiness;
  /** requests and invitations that wait */
  requests(): number;
  /** told of new numbers */
  onSample(now: OverviewNow): void;
}

/** What one conversation has waiting, and from which state that was counted. */
interface Waiting {
  key: string;
  messages: number;
  /** devices that lack something */
  devices: string[];
}

export class NodeOverview {
  #samples: Sample[] = [];
  #waiting = new Map<string, Waiting>();
  #loopDelay = 0;
  #off: (() => void)[] = [];
  #soon: (() => void) | null = null;

  constructor(private readonly options: OverviewOptions) {}

  /** Begins to take samples. */
  start(): void {
    const { clock } = this.options;
    let expected = clock.now() + LOOP_CHECK_MS;
    this.#off = [
      every(clock, LOOP_CHECK_MS, () => {
        const now = clock.now();
        this.#loopDelay = Math.max(this.#loopDelay, now - expected);
        expected = now + LOOP_CHECK_MS;
      }),
      every(clock, SAMPLE_EVERY_MS, () => this.#sample()),
    ];
  }

  stop(): void {
    this.#off.forEach((off) => off());
    this.#off = [];
    this.#soon?.();
    this.#soon = null;
  }

  /** Something happened: watchers are told new numbers in a moment. */
  soon(): void {
    if (this.#off.length === 0) return; // not started, or stopped
    this.#soon ??= this.options.clock.after(SOON_MS, () => {
      this.#soon = null;
      this.options.onSample(this.#now());
    });
  }

  /** The present numbers and those of the last hour. */
  hour(): Overview {
    return { ...this.#now(), samples: this.#samples };
  }

  #sample(): void {
    const now = this.#now();
    this.#loopDelay = 0;
    this.#samples.push(now.sample);
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
    this.options.onSample(now);
  }

  #now(): OverviewNow {
    const { relay, store, clock } = this.options;
    const { conversations, account, connections, self } = relay;
    const people = [...conversations.accounts()].filter((person) => person !== self);
    const connected = new Set(connections.connections().map(({ peer }) => peer.account));
    const waiting = this.#countWaiting();
    return {
      node: this.options.info(),
      ready: this.options.ready(),
      totals: {
        conversations: conversations.all().length,
        people: people.length,
        online: people.filter((person) => connected.has(person) || account.presence.isOnline(person)).length,
        requests: this.options.requests(),
      },
      waiting,
      storage: storageInfo(relay, store),
      warnings: recentWarnings(),
      sample: {
        at: Math.floor(clock.now() / 1000),
        connections: connections.connections().length,
        waiting: waiting.messages,
        loopDelay: this.#loopDelay,
        memory: Deno.memoryUsage().rss,
      },
    };
  }

  /** What waits in one conversation. */
  waitingIn(id: string): WaitingInfo {
    const conversation = this.options.relay.conversations.get(id);
    if (!conversation) return { messages: 0, devices: 0 };
    const waiting = this.#waitingIn(conversation);
    this.#waiting.set(id, waiting);
    return { messages: waiting.messages, devices: waiting.devices.length };
  }

  /** What waits in all conversations. Devices mostly lack the same messages, so each conversation counts by the one that lacks most. */
  #countWaiting(): OverviewNow["waiting"] {
    const open = this.options.relay.conversations.all();
    const present = new Map<string, Waiting>();
    for (const conversation of open) present.set(conversation.id, this.#waitingIn(conversation));
    this.#waiting = present;
    const all = [...present.values()];
    return {
      messages: all.reduce((sum, { messages }) => sum + messages, 0),
      devices: new Set(all.flatMap(({ devices }) => devices)).size,
    };
  }

  /** Counting walks over the history: it is done anew only when the head or what devices hold has changed. */
  #waitingIn(conversation: Conversation): Waiting {
    const { relay, store } = this.options;
    const entries = store.ledger.forConversation(conversation.id)
      .filter(({ account, device }) => device !== relay.device && conversation.isJoined({ account, device }));
    const key = keyOf(conversation, entries);
    const known = this.#waiting.get(conversation.id);
    if (known?.key === key) return known;
    const count = conversation.counter();
    const lacking = entries.map(({ device, heads }) => ({ device, lag: count(heads) })).filter(({ lag }) => lag > 0);
    return {
      key,
      messages: Math.max(0, ...lacking.map(({ lag }) => lag)),
      devices: lacking.map(({ device }) => device),
    };
  }
}

function keyOf({ head }: Conversation, entries: DeviceHeads[]): string {
  return `${head} ${entries.map(({ device, heads }) => `${device}:${heads.join()}`).join(" ")}`;
}
