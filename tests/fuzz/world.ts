/** The peers of a soak, and how each action of a plan is done by them. What cannot be done just then is left: the plan does not know what came of its steps. */

import { systemClock } from "../../core/base/clock.ts";
import { KituoError, messageOf } from "../../core/base/errors.ts";
import { within } from "../../core/base/limits.ts";
import { befriend, type JamiDaemon, people } from "../interop/driver/daemon.ts";
import { DBusError } from "../interop/driver/dbus.ts";
import { ApiError, type KituoProcess } from "../interop/driver/kituo.ts";
import type { Host, Network } from "../interop/driver/network.ts";
import { addNode, openNode } from "../interop/driver/open_node.ts";
import type { Action, Cast } from "./plan.ts";

export const CAST: Cast = { daemons: ["alice", "bob", "carol", "dave"], nodes: ["kituo1", "kituo2"] };

const ACTION_TIMEOUT = 20_000; // ms: what hangs is told, and the soak goes on
const START_TIMEOUT = 90_000; // ms
const ACCEPT_AGAIN = 20_000; // ms: 2023's daemon may forget what it accepted in a crash: who still has the request accepts once more

/** An action that makes no sense just now: somebody has not joined yet, or is out. */
class NotNow extends KituoError {}

/** Makes everybody, who know each other in part: each daemon has the nodes as contacts, two pairs of daemons each other, the nodes each other. */
export async function makeWorld(network: Network, say: (line: string) => void): Promise<World> {
  const nodes: KituoProcess[] = [];
  for (const name of CAST.nodes) nodes.push(await openNode(network, name, "--log-level", "debug"));
  const daemons = await people(network, ...CAST.daemons);
  for (const daemon of daemons) for (const node of nodes) await addNode(daemon, node);
  await befriend(daemons[0], daemons[1]);
  await befriend(daemons[2], daemons[3]);
  await nodes[0].api("POST", "/contacts", { jamiId: nodes[1].jamiId });
  say(`${[...nodes, ...daemons].map((peer) => `${peer.name} ${idOf(peer)}`).join(", ")}`);
  return new World(network, daemons, nodes, say);
}

function idOf(peer: JamiDaemon | KituoProcess): string {
  return "uri" in peer ? peer.uri : peer.jamiId;
}

export class World {
  /** Conversations by the plan's labels. */
  readonly groups = new Map<string, string>();
  /** What nodes said was durable: commits by node and conversation. */
  readonly promised: { node: string; conversation: string; commit: string }[] = [];
  /** Who has ever left which conversation: their repositories may have begun anew. */
  readonly left = new Set<string>();
  #accepted = new Map<string, number>();
  #texts = new Map<string, { message: string; body: string }[]>();

  constructor(
    readonly network: Network,
    readonly daemons: JamiDaemon[],
    readonly nodes: KituoProcess[],
    private readonly say: (line: string) => void,
  ) {}

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of [...this.daemons, ...this.nodes]) await peer[Symbol.asyncDispose]();
  }

  /** Does it, or tells why not. */
  async run(action: Action): Promise<void> {
    const { kind, ...rest } = action;
    const told = `${kind} ${Object.entries(rest).map(([key, value]) => `${key}=${value}`).join(" ")}`;
    try {
      await within(systemClock, kind === "start" ? START_TIMEOUT : ACTION_TIMEOUT, told, this.#do(action));
      this.say(told);
    } catch (error) {
      if (!isExpected(error)) throw error;
      this.say(`${told}: not done, ${messageOf(error).slice(0, 120)}`);
    }
  }

  /** Every running daemon accepts all that it is invited to. */
  async accept(): Promise<void> {
    await Promise.all(
      this.daemons.filter(({ running }) => running).map(async (daemon) => {
        try {
          await within(systemClock, ACTION_TIMEOUT, "accepting", this.#acceptAll(daemon));
        } catch (error) {
          if (!isExpected(error)) throw error;
        }
      }),
    );
  }

  async #acceptAll(daemon: JamiDaemon): Promise<void> {
    const requests = await daemon.conversationRequests();
    const mine = new Set(await daemon.conversations());
    for (const { id } of requests) {
      const key = `${daemon.name} ${id}`;
      if (mine.has(id) || performance.now() - (this.#accepted.get(key) ?? -Infinity) < ACCEPT_AGAIN) continue;
      this.#accepted.set(key, performance.now());
      await daemon.call("ConfigurationManager", "acceptConversationRequest", daemon.account, id);
      this.say(`${daemon.name} accepts ${id}`);
    }
  }

  #do(action: Action): Promise<unknown> {
    switch (action.kind) {
      case "kill":
      case "stop":
        return this.#any(action.who)[action.kind]();
      case "start":
      case "plug":
      case "unplug":
        return this.#any(action.who)[action.kind]();
      case "cut":
        return this.network.cut(this.#host(action.who), this.#host(action.other));
      case "heal":
        return this.network.heal(this.#host(action.who), this.#host(action.other));
      case "create":
        return this.#create(action);
    }
    const node = this.nodes.find(({ name }) => name === action.by);
    return node ? this.#byNode(node, action) : this.#byDaemon(this.#daemon(action.by), action);
  }

  async #create({ by, group, mode }: Action & { kind: "create" }): Promise<void> {
    const node = this.nodes.find(({ name }) => name === by);
    const id = node
      ? (await node.api<{ id: string }>("POST", "/conversations", { mode, title: group })).id
      : await this.#daemon(by).startGroup();
    this.groups.set(group, id);
  }

  async #byNode(node: KituoProcess, action: Action & { group: string }): Promise<void> {
    const conversation = this.#conversation(action.group);
    const path = `/conversations/${conversation}`;
    switch (action.kind) {
      case "post": {
        const { id } = await node.api<{ id: string }>("POST", `${path}/messages`, { body: action.text });
        this.promised.push({ node: node.name, conversation, commit: id });
        return;
      }
      case "title":
        return await node.api("PATCH", path, { title: action.text });
      case "invite":
        return await node.api("POST", `${path}/members`, { jamiId: this.#id(action.who) });
      case "ban":
        return await node.api("DELETE", `${path}/members/${this.#id(action.who)}`);
      case "unban":
        return await node.api("POST", `${path}/members/${this.#id(action.who)}/unban`);
      case "leave":
        this.left.add(`${node.name} ${conversation}`);
        return await node.api("POST", `${path}/leave`);
    }
  }

  async #byDaemon(daemon: JamiDaemon, action: Action & { group: string }): Promise<void> {
    const conversation = this.#conversation(action.group);
    const role = (await daemon.members(conversation))[daemon.uri];
    // 2023's daemon writes what it is told while its own join is being written beside the join, with the join's files
    if (role !== "admin" && role !== "member") throw new NotNow(`${daemon.name} is ${role || "not in it"}`);
    switch (action.kind) {
      case "post":
        await daemon.send(conversation, action.text);
        return;
      case "reply":
        return await daemon.reply(conversation, action.text, this.#message(daemon, conversation));
      case "edit":
        return await daemon.edit(conversation, action.text, this.#message(daemon, conversation, true));
      case "react":
        return await daemon.react(conversation, "👍", this.#message(daemon, conversation));
      case "title":
        return await daemon.setInfos(conversation, { title: action.text });
      case "invite":
        return await daemon.invite(conversation, this.#id(action.who));
      case "ban":
        return await daemon.ban(conversation, this.#id(action.who));
      case "unban":
        return await daemon.unban(conversation, this.#id(action.who));
      case "leave":
        this.left.add(`${daemon.name} ${conversation}`);
        return await daemon.leave(conversation);
    }
  }

  /** The newest text that the daemon has seen, of its own or of anybody. */
  #message(daemon: JamiDaemon, conversation: string, own = false): string {
    for (let at = daemon.events.length - 1; at >= 0; at--) {
      const { name, args: [, where, message] } = daemon.events[at];
      if (name !== "messageReceived" || where !== conversation) continue;
      if (typeof message !== "object" || !("id" in message) || typeof message.id !== "string") continue;
      if (message.type !== "text/plain" || "react-to" in message || "edit" in message) continue;
      if (!own || message.author === daemon.uri) return message.id;
    }
    throw new NotNow(`${daemon.name} has seen no text`);
  }

  #conversation(label: string): string {
    const id = this.groups.get(label);
    if (!id) throw new NotNow(`${label} was never made`);
    return id;
  }

  #id(name: string): string {
    return idOf(this.#any(name));
  }

  #host(name: string): Host {
    return this.#any(name).host;
  }

  #any(name: string): JamiDaemon | KituoProcess {
    return this.nodes.find((node) => node.name === name) ?? this.#daemon(name);
  }

  #daemon(name: string): JamiDaemon {
    const daemon = this.daemons.find((one) => one.name === name);
    if (!daemon) throw new TypeError(`nobody is called ${name}`);
    return daemon;
  }
}

/** What may happen to anybody in such a world; everything else is a fault of the soak. */
function isExpected(error: unknown): boolean {
  return error instanceof NotNow || error instanceof DBusError || error instanceof ApiError ||
    error instanceof Error && ["DaemonTimeout", "TimeoutError"].includes(error.name);
}
