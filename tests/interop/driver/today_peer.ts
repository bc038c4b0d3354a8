/** The test peer that stands for the daemon of August 2026 (tests/interop/today), as a process on a host of a test network. */

import { fileURLToPath } from "node:url";
import { DaemonTimeout, type WaitOptions } from "./daemon_process.ts";
import type { Host, HostProcess, Network } from "./network.ts";

const PROGRAM = fileURLToPath(new URL("../today/peer.ts", import.meta.url));
const CONFIG = fileURLToPath(new URL("../../../deno.json", import.meta.url));
const DHT_PORT = 4222;
const START_TIMEOUT = 60_000; // ms: a first start makes three RSA-4096 keys
const WAIT_TIMEOUT = 60_000; // ms
const POLL_INTERVAL = 50; // ms, for the states that come without an event

/** Something that happened in the peer. */
export interface TodayEvent {
  event: string;
  /** ms since 1970, by the peer itself. */
  at: number;
  /** Whatever belongs to it: see peer.ts. */
  [more: string]: unknown;
}

/** A commit as the peer lists it. */
export interface TodayCommit {
  id: string;
  type: string;
  author: string;
  body: string;
  action: string;
  parents: string[];
  timestamp: number;
}

export interface TodayOptions {
  /** Default: a new host. */
  host?: Host;
  /** Opens what it has, and keeps off the network until `online()`. */
  offline?: boolean;
  /**
   * Hosts of DHT nodes that it knows from the start, besides the network's own. That one is of 2023 and keeps no certificates at the keys of today: who
   * wants to be found must be known to who looks.
   */
  neighbours?: Host[];
}

export class TodayPeer implements AsyncDisposable {
  /** The account's Jami ID and the device's ID, once it has started. */
  uri = "";
  device = "";
  /** All events of all runs, oldest first. */
  readonly events: TodayEvent[] = [];
  /** Standard error of all its runs. */
  readonly log: string;
  readonly #data: string;
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #listeners = new Set<() => void>();
  #process: HostProcess | null = null;
  #count = 0;

  private constructor(
    readonly network: Network,
    readonly name: string,
    readonly host: Host,
    private readonly neighbours: Host[],
  ) {
    this.#data = `${network.folder}/${name}/data`;
    this.log = `${network.folder}/${name}/log`;
  }

  /** A running peer with an account of its own, not yet announced: `waitAnnounced` next. */
  static async createAccount(network: Network, name: string, options: TodayOptions = {}): Promise<TodayPeer> {
    const peer = new TodayPeer(network, name, options.host ?? await network.host(), options.neighbours ?? []);
    await Deno.mkdir(`${network.folder}/${name}`, { recursive: true });
    await peer.start(options);
    return peer;
  }

  /** Starts it (again) with the same data. */
  async start({ offline = false }: { offline?: boolean } = {}): Promise<void> {
    if (this.running) throw new Error(`${this.name} runs already`);
    const since = this.mark();
    const bootstrap = [this.network.bootstrap, ...this.neighbours.map(({ address }) => `${address}:${DHT_PORT}`)];
    const argv = [Deno.execPath(), "run", "-A", "--no-check", "--cached-only", `--config=${CONFIG}`, PROGRAM];
    const process = this.network.spawn(
      this.host,
      [...argv, this.#data, bootstrap.join(), this.name, ...offline ? ["offline"] : []],
      {
        log: this.log,
        env: { HOME: Deno.env.get("HOME") ?? "", NO_COLOR: "1" },
        input: true,
        onLine: (line) => this.#onLine(line),
      },
    );
    this.#process = process;
    process.ended.then(() => this.#onEnd());
    const { account, device } = await this.waitEvent("started", () => true, { since, timeout: START_TIMEOUT });
    this.uri = `${account}`;
    this.device = `${device}`;
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  /** Ends it in order: SIGTERM would be a crash for it. Whether that took less than 10 s. */
  async stop(): Promise<boolean> {
    const process = this.#process;
    if (!process?.running) return true;
    await process.endInput();
    let patient = true;
    const timer = setTimeout(() => {
      patient = false;
      process.signal("SIGKILL");
    }, 10_000);
    await process.ended;
    clearTimeout(timer);
    return patient;
  }

  /** SIGKILL: a crash. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async unplug(): Promise<void> {
    await this.network.unplug(this.host);
  }

  async plug(): Promise<void> {
    await this.network.plug(this.host);
  }

  // -- events

  /** A place in the list of events, for `since`. */
  mark(): number {
    return this.events.length;
  }

  /** The first event `name` (from `since` on) for which `test` holds. @throws {DaemonTimeout} */
  async waitEvent(
    name: string,
    test: (event: TodayEvent) => boolean = () => true,
    { since = 0, timeout = WAIT_TIMEOUT }: WaitOptions = {},
  ): Promise<TodayEvent> {
    let next = since;
    const { promise, resolve, reject } = Promise.withResolvers<TodayEvent>();
    const look = () => {
      for (; next < this.events.length; next++) {
        if (this.events[next].event === name && test(this.events[next])) return resolve(this.events[next]);
      }
      if (!this.running) reject(new Error(`${this.name} is not running, while waiting for ${name}; see ${this.log}`));
    };
    const timer = setTimeout(
      () => reject(new DaemonTimeout(`${this.name} waited ${timeout} ms for ${name}`)),
      timeout,
    );
    this.#listeners.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#listeners.delete(look);
    }
  }

  /** The commit with this text (from `since` on), as an event. */
  async waitText(conversation: string, body: string, options: WaitOptions = {}): Promise<TodayEvent> {
    const isIt = (event: TodayEvent) => event.conversation === conversation && event.body === body;
    return await this.waitEvent("commit", isIt, options);
  }

  /** TLS is up with a device of the account. */
  async waitConnected(account: string, options: WaitOptions = {}): Promise<TodayEvent> {
    return await this.waitEvent("connected", (event) => event.account === account, options);
  }

  // -- account and contacts

  /** Goes on the network, after a start with `offline`. */
  async online(): Promise<void> {
    await this.call("online");
  }

  async waitAnnounced(): Promise<void> {
    await this.call("waitAnnounced");
  }

  async addContact(uri: string): Promise<void> {
    await this.call("addContact", uri);
  }

  /** Accepts the trust request of `uri` once it is there; its conversation, which is cloned from now on. */
  async acceptContact(uri: string, timeout = WAIT_TIMEOUT): Promise<string> {
    const isIt = (event: TodayEvent) => event.account === uri;
    const { conversation } = await this.waitEvent("request", isIt, { timeout });
    await this.call("acceptContact", uri);
    return `${conversation}`;
  }

  async removeContact(uri: string): Promise<void> {
    await this.call("removeContact", uri);
  }

  /** By account: whether it has confirmed, and the one-to-one conversation. */
  async contacts(): Promise<Record<string, { confirmed: boolean; conversation: string }>> {
    return await this.call("contacts");
  }

  /** The one-to-one conversation with a contact. */
  async conversationWith(uri: string): Promise<string> {
    return (await this.contacts())[uri]?.conversation ?? "";
  }

  // -- conversations

  /** A group; without a mode one that clients make. */
  async startGroup(mode = 2): Promise<string> {
    return await this.call("startGroup", `${mode}`);
  }

  /** Leaves. The conversation is gone here once somebody has fetched that. */
  async leave(conversation: string): Promise<void> {
    await this.call("leave", conversation);
  }

  /** Sends a trust request that names a group. */
  async askForGroup(account: string, conversation: string): Promise<void> {
    await this.call("askForGroup", account, conversation);
  }

  async invite(conversation: string, uri: string): Promise<void> {
    await this.call("invite", conversation, uri);
  }

  /** Accepts an invitation once it is there; returns when the conversation is cloned and joined. */
  async acceptGroup(conversation: string, timeout = WAIT_TIMEOUT): Promise<void> {
    const isIt = (event: TodayEvent) => event.conversation === conversation;
    await this.waitEvent("invitation", isIt, { timeout });
    await this.call("acceptGroup", conversation);
    await this.waitEvent("ready", isIt, { timeout });
  }

  /** Posts a text; its commit. */
  async post(conversation: string, body: string): Promise<string> {
    return await this.call("post", conversation, body);
  }

  /** Ids of the conversations that are here. */
  async conversations(): Promise<string[]> {
    return await this.call("conversations");
  }

  /** Members and their roles. */
  async members(conversation: string): Promise<Record<string, string>> {
    return await this.call("members", conversation);
  }

  /** Until `uri` is an admin or member. */
  async waitMember(conversation: string, uri: string, timeout = WAIT_TIMEOUT): Promise<void> {
    await this.until(`${uri} to be a member`, async () => {
      const role = (await this.members(conversation))[uri];
      return role === "admin" || role === "member";
    }, timeout);
  }

  /** All commits, newest first. */
  async history(conversation: string): Promise<TodayCommit[]> {
    return await this.call("history", conversation);
  }

  /** The commit that `main` stands at. */
  async head(conversation: string): Promise<string> {
    return await this.call("head", conversation);
  }

  /** Devices in the conversation's routing table that are connected over `swarm://`. */
  async overlay(conversation: string): Promise<string[]> {
    return await this.call("overlay", conversation);
  }

  /** The accounts at the other ends of its TLS links. */
  async connectedAccounts(): Promise<string[]> {
    const links: { account: string }[] = await this.call("connections");
    return links.map(({ account }) => account);
  }

  /** Opens any channel to a connected account and reads it to its end; `null` when it is declined. */
  async request(account: string, name: string): Promise<{ size: number; sha3: string } | null> {
    return await this.call("request", account, name);
  }

  /** Gives a connected account the profile. */
  async sendProfile(account: string, conversation: string, vcard: string): Promise<void> {
    await this.call("sendProfile", account, conversation, vcard);
  }

  /** Asks until `check` gives something true. @throws {DaemonTimeout} */
  async until<T>(what: string, check: () => Promise<T | false>, timeout = WAIT_TIMEOUT): Promise<T> {
    const end = performance.now() + timeout;
    while (true) {
      const result = await check();
      if (result) return result;
      if (performance.now() > end) throw new DaemonTimeout(`${this.name} waited ${timeout} ms for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
    }
  }

  /** Any command of peer.ts. @throws with what went wrong in the peer */
  async call<T>(command: string, ...args: string[]): Promise<T> {
    if (!this.#process?.running) throw new Error(`${this.name} is not running`);
    const id = ++this.#count;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    await this.#process.writeLine(JSON.stringify({ id, do: command, args }));
    return await answer.promise as T; // reason: each method above names what its command returns
  }

  #onLine(line: string): void {
    const message: TodayEvent & { id?: number; result?: unknown; error?: string } = JSON.parse(line);
    const answer = message.event === undefined && message.id !== undefined && this.#answers.get(message.id);
    if (!answer) {
      this.events.push(message);
      return this.#listeners.forEach((listener) => listener());
    }
    this.#answers.delete(message.id ?? 0);
    if (message.error === undefined) answer.resolve(message.result);
    else answer.reject(new Error(`${this.name}: ${message.error}`));
  }

  #onEnd(): void {
    for (const { reject } of this.#answers.values()) reject(new Error(`${this.name} ended; see ${this.log}`));
    this.#answers.clear();
    this.#listeners.forEach((listener) => listener());
  }
}
