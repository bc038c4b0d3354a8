/**
 * How the node does: numbers taken every few seconds, the last hour of them kept, for the console's first page. A row a minute is kept in
 * the store, so that a restart does not empty the charts.
 */

import { getLogger } from "@logtape/logtape";
import { type Clock, every } from "./base/clock.ts";
import { messageOf } from "./base/errors.ts";
import { recentWarnings } from "./logging.ts";
import type {
  NodeInfo,
  Overview,
  OverviewApi,
  OverviewNow,
  Readiness,
  Sample,
  WaitingDevices,
  WaitingInfo,
} from "./node_api.ts";
import type { DeviceGap, NodeGaps } from "./node_gaps.ts";
import type { Calling } from "./node_names.ts";
import { isOnline, storageInfo } from "./node_view.ts";
import type { Relay } from "./relay/relay.ts";
import type { Store } from "./store/store.ts";
import type { Conversation } from "./swarm/conversation.ts";

const log = getLogger(["kituo", "node"]);

/** A point of the charts, ms. */
const SAMPLE_EVERY_MS = 10_000;
/** Samples kept: an hour. */
const SAMPLES_KEPT = 360;
/** Samples that make a row in the store: a minute. */
const SAMPLES_A_ROW = 6;
const HOUR_S = 3_600;
/** Rows kept: a day of them. */
const KEPT_S = 24 * HOUR_S;
/** A point of the day, s. */
const DAY_STEP_S = 300;
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
  called: Calling;
  gaps: NodeGaps;
  /** told of new numbers */
  onSample(now: OverviewNow): void;
}

/** What one conversation has waiting, and the gaps that tell it. */
interface Waiting {
  counted: readonly DeviceGap[];
  messages: number;
  /** devices that lack something */
  devices: DeviceGap[];
}

export class NodeOverview implements OverviewApi {
  #samples: Sample[] = [];
  #waiting = new Map<string, Waiting>();
  #loopDelay = 0;
  /** Bytes of all connections at the last sample. */
  #traffic = { at: 0, in: 0, out: 0 };
  /** Samples of the minute that is not in the store yet. */
  #minute: Sample[] = [];
  #off: (() => void)[] = [];
  #soon: (() => void) | null = null;

  constructor(private readonly options: OverviewOptions) {}

  /** Begins to take samples. */
  start(): void {
    const { clock, store, relay } = this.options;
    this.#samples = store.samples.since(Math.floor(clock.now() / 1000) - HOUR_S);
    this.#traffic = { at: clock.now(), ...relay.connections.traffic };
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
    this.#keepMinute();
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

  day(): Sample[] {
    const now = Math.floor(this.options.clock.now() / 1000);
    const rows = [...this.options.store.samples.since(now - KEPT_S), ...this.#minute];
    const steps = Map.groupBy(rows, ({ at }) => Math.floor(at / DAY_STEP_S));
    return [...steps.values()].map(together);
  }

  waiting(limit: number): WaitingDevices {
    const { relay, called, store } = this.options;
    this.#countWaiting();
    const all = [...this.#waiting].flatMap(([conversationId, { devices }]) => {
      const times = new Map<string, number | null>(); // most lack the same
      const writtenAt = (commit: string) => {
        const at = times.get(commit) ?? store.commits.get(conversationId, commit)?.timestamp ?? null;
        times.set(commit, at);
        return at;
      };
      return devices.map(({ oldest, ...rest }) => {
        return { conversationId, ...rest, since: oldest === null ? null : writtenAt(oldest) };
      });
    });
    all.sort((a, b) => (a.since ?? Infinity) - (b.since ?? Infinity) || b.count - a.count);
    const items = all.slice(0, limit).map(({ conversationId, device, account, count, since }) => ({
      conversationId,
      title: store.conversations.get(conversationId)?.title ?? "",
      jamiId: account,
      ...called(account),
      deviceId: device,
      messages: count,
      since,
      online: isOnline(relay, account),
    }));
    return { items, total: all.length };
  }

  #sample(): void {
    const { clock, relay } = this.options;
    const now = this.#now();
    this.#loopDelay = 0;
    this.#traffic = { at: clock.now(), ...relay.connections.traffic };
    this.#samples.push(now.sample);
    const oldest = now.sample.at - HOUR_S;
    while (this.#samples.length > SAMPLES_KEPT || this.#samples[0].at <= oldest) this.#samples.shift();
    if (this.#minute.push(now.sample) >= SAMPLES_A_ROW) this.#keepMinute();
    this.options.onSample(now);
  }

  /** A fault of the disk costs the charts a minute, and nothing else. */
  #keepMinute(): void {
    const minute = this.#minute.splice(0);
    if (minute.length === 0) return;
    try {
      const row = together(minute);
      this.options.store.samples.put(row, row.at - KEPT_S);
    } catch (error) {
      log.warn("a minute of the charts was not kept: {error}", { error: messageOf(error) });
    }
  }

  #now(): OverviewNow {
    const { relay, store, clock } = this.options;
    const { conversations, account, connections, self } = relay;
    const people = [...conversations.accounts()].filter((person) => person !== self);
    const connected = new Set(connections.connections().map(({ peer }) => peer.account));
    const waiting = this.#countWaiting();
    const { traffic } = connections;
    const seconds = Math.max(1, (clock.now() - this.#traffic.at) / 1000);
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
        bytesIn: Math.round(Math.max(0, traffic.in - this.#traffic.in) / seconds),
        bytesOut: Math.round(Math.max(0, traffic.out - this.#traffic.out) / seconds),
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
      devices: new Set(all.flatMap(({ devices }) => devices.map(({ device }) => device))).size,
    };
  }

  #waitingIn(conversation: Conversation): Waiting {
    const { relay, gaps } = this.options;
    const counted = gaps.of(conversation);
    const known = this.#waiting.get(conversation.id);
    if (known?.counted === counted) return known;
    const lacking = counted
      .filter(({ account, device }) => device !== relay.device && conversation.isJoined({ account, device }))
      .filter(({ count }) => count > 0);
    return {
      counted,
      messages: Math.max(0, ...lacking.map(({ count }) => count)),
      devices: lacking,
    };
  }
}

/** Several samples as one, at the time of the first: the mean of what is a level, the most of what is a trouble. */
function together(samples: readonly Sample[]): Sample {
  const mean = (pick: (sample: Sample) => number) =>
    Math.round(samples.reduce((sum, sample) => sum + pick(sample), 0) / samples.length);
  return {
    at: samples[0].at,
    connections: mean(({ connections }) => connections),
    waiting: Math.max(...samples.map(({ waiting }) => waiting)),
    loopDelay: Math.round(Math.max(...samples.map(({ loopDelay }) => loopDelay))),
    memory: mean(({ memory }) => memory),
    bytesIn: mean(({ bytesIn }) => bytesIn),
    bytesOut: mean(({ bytesOut }) => bytesOut),
  };
}
