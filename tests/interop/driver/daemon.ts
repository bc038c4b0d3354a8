/** A real Jami daemon with one account, driven as its own desktop client would drive it. */

import { type DaemonEvent, DaemonProcess, type WaitOptions } from "./daemon_process.ts";
import type { DBusArgument, DBusValue } from "./dbus_wire.ts";
import type { Host, Network } from "./network.ts";

export { type DaemonEvent, DaemonTimeout, type WaitOptions } from "./daemon_process.ts";

/** A message or other commit as the daemon tells it: `id`, `type`, `author`, `body`, `timestamp`, `parents`, and what its type adds. */
export type Message = Record<string, string>;

/** jamid's roles of members. */
export type Role = "admin" | "member" | "invited" | "banned" | "left" | "unknown" | "";

const IN: readonly Role[] = ["admin", "member"];
export const SETTLE = 2_000; // ms between "announced" and a first trust request, which may get lost otherwise
const REPLY = 0, EDIT = 1, REACTION = 2; // the flags of sendMessage

export interface DaemonOptions {
  /** Default: a new host. */
  host?: Host;
  /** Follows the presence of every contact, as a client makes its daemon do; a bare daemon follows nobody's. Default true. */
  client?: boolean;
  /** jamid's verbose log. */
  debug?: boolean;
}

export interface AccountOptions {
  /** An archive file: another device of an existing account. */
  archive?: string;
  password?: string;
  /** Further account details by jamid's names. */
  details?: Record<string, string>;
}

export class JamiDaemon extends DaemonProcess {
  /** jamid's name for its account; empty without one. */
  account = "";
  /** The account's Jami ID: 40 hex digits. */
  uri = "";
  /** The account's device ID: 64 hex digits. */
  device = "";

  private constructor(network: Network, name: string, host: Host, private readonly client: boolean) {
    super(network, name, host);
  }

  /** A running daemon without an account. */
  static async start(network: Network, name: string, options: DaemonOptions = {}): Promise<JamiDaemon> {
    const host = options.host ?? await network.host();
    const daemon = new JamiDaemon(network, name, host, options.client ?? true);
    await daemon.start({ debug: options.debug });
    return daemon;
  }

  protected override async started(): Promise<void> {
    const accounts = texts(await this.#config("getAccountList"));
    if (accounts.length === 0) return;
    if (!accounts.includes(this.account)) this.account = accounts[0];
    await this.#learn();
    if (!this.client) return;
    for (const contact of await this.contacts()) {
      if (contact.banned !== "true") await this.subscribe(contact.id);
    }
  }

  // -- account

  /** A new account (or another device of one), not yet registered: `waitRegistered` next. */
  async createAccount(name = this.name, options: AccountOptions = {}): Promise<void> {
    this.account = text(
      await this.#config("addAccount", {
        ...textMap(await this.#config("getAccountTemplate", "RING")),
        "Account.type": "RING",
        "Account.alias": name,
        "Account.displayName": name,
        "Account.deviceName": `${name}-${this.name}`,
        "Account.hostname": this.network.bootstrap,
        "Account.upnpEnabled": "false",
        "TURN.enable": "false",
        "Account.proxyEnabled": "false",
        "Account.peerDiscovery": "false",
        "Account.accountDiscovery": "false",
        "Account.accountPublish": "false",
        "RingNS.uri": "http://127.0.0.1:9", // fails at once: there is no name server here
        "Account.archivePassword": options.password ?? "",
        ...options.archive ? { "Account.archivePath": options.archive } : {},
        ...options.details,
      }),
    );
  }

  /**
   * Until the DHT is reached and the device announced on it (REGISTERED alone does not mean announced).
   * @param settle ms more, before a first trust request: `people` gives 2 s
   */
  async waitRegistered({ timeout = 90_000, settle = 0 } = {}): Promise<void> {
    await this.until("its registration and announcement", async () => {
      const state = await this.volatileDetails();
      return state["Account.registrationStatus"] === "REGISTERED" && state["Account.deviceAnnounced"] === "true";
    }, timeout);
    await this.#learn();
    await pause(settle);
  }

  async details(): Promise<Record<string, string>> {
    return textMap(await this.#own("getAccountDetails"));
  }

  async volatileDetails(): Promise<Record<string, string>> {
    return textMap(await this.#own("getVolatileAccountDetails"));
  }

  async setDetails(changes: Record<string, string>): Promise<void> {
    await this.#own("setAccountDetails", { ...await this.details(), ...changes });
  }

  /** Writes the account's archive to `path`. */
  async exportArchive(path: string, password = ""): Promise<string> {
    if (await this.#own("exportToFile", path, password) !== true) throw new Error(`${this.name}: exportToFile failed`);
    return path;
  }

  /** The account's devices: device ID to name. */
  async devices(): Promise<Record<string, string>> {
    return textMap(await this.#own("getKnownRingDevices"));
  }

  async revokeDevice(device: string, password = ""): Promise<boolean> {
    return await this.#own("revokeDevice", password, device) === true;
  }

  async removeAccount(): Promise<void> {
    await this.#own("removeAccount");
  }

  // -- contacts

  /** Adds a contact and sends the trust request (with it goes the one-to-one conversation). */
  async addContact(uri: string): Promise<void> {
    await this.#own("addContact", uri);
    await this.#own("sendTrustRequest", uri, new Uint8Array());
    if (this.client) await this.subscribe(uri);
  }

  /**
   * Accepts the trust request of `uri` once it is there, with its conversation: the daemon stores the two one after the other, and
   * whoever accepts in between never gets into the conversation.
   */
  async acceptContact(uri: string, timeout?: number): Promise<void> {
    await this.until(`a trust request of ${uri}`, async () => {
      const request = (await this.requests()).find((request) => request.from === uri);
      if (!request?.conversationId) return request;
      const invitations = (await this.conversationRequests()).map((invitation) => invitation.id);
      return [...invitations, ...await this.conversations()].includes(request.conversationId);
    }, timeout);
    await this.#own("acceptTrustRequest", uri);
    if (this.client) await this.subscribe(uri);
  }

  async removeContact(uri: string, ban = false): Promise<void> {
    await this.#own("removeContact", uri, ban);
  }

  async contacts(): Promise<Record<string, string>[]> {
    return textMaps(await this.#own("getContacts"));
  }

  /** Trust requests that wait for an answer. */
  async requests(): Promise<Record<string, string>[]> {
    return textMaps(await this.#own("getTrustRequests"));
  }

  /** Follows the presence of `uri`: the daemon connects, and syncs, when it comes online. Event: `newBuddyNotification`. */
  async subscribe(uri: string, on = true): Promise<void> {
    await this.call("PresenceManager", "subscribeBuddy", this.account, uri, on);
  }

  /** The one-to-one conversation with a contact, once there is one. */
  async conversationWith(uri: string, timeout?: number): Promise<string> {
    return await this.until(`a conversation with ${uri}`, async () => {
      return (await this.contacts()).find((contact) => contact.id === uri)?.conversationId;
    }, timeout);
  }

  // -- conversations

  async conversations(): Promise<string[]> {
    return texts(await this.#own("getConversations"));
  }

  /** Invitations to conversations that wait for an answer. */
  async conversationRequests(): Promise<Record<string, string>[]> {
    return textMaps(await this.#own("getConversationRequests"));
  }

  /** A new group (mode: invites only). */
  async startGroup(): Promise<string> {
    for (let tries = 0; tries < 5; tries++) {
      const conversation = text(await this.#own("startConversation"));
      if (conversation) return conversation;
      await pause(500); // two started in the same second by one device have the same id, and the second fails
    }
    throw new Error(`${this.name}: startConversation failed`);
  }

  async invite(conversation: string, uri: string): Promise<void> {
    await this.#own("addConversationMember", conversation, uri);
  }

  /** Accepts an invitation once it is there. Does not wait for the clone: event `conversationReady`. */
  async acceptGroup(conversation: string, timeout?: number): Promise<void> {
    await this.until(`an invitation to ${conversation}`, async () => {
      return (await this.conversationRequests()).some((request) => request.id === conversation);
    }, timeout);
    await this.#own("acceptConversationRequest", conversation);
  }

  async declineGroup(conversation: string): Promise<void> {
    await this.#own("declineConversationRequest", conversation);
  }

  async leave(conversation: string): Promise<void> {
    await this.#own("removeConversation", conversation);
  }

  /** Members and their roles. */
  async members(conversation: string): Promise<Record<string, string>> {
    const members = textMaps(await this.#own("getConversationMembers", conversation));
    return Object.fromEntries(members.map((member) => [member.uri, member.role ?? ""]));
  }

  /** Until `uri` has one of the roles; default: is in. */
  async waitMember(conversation: string, uri: string, roles: readonly Role[] = IN, timeout?: number): Promise<void> {
    await this.until(`${uri} to be ${roles.join(" or ")}`, async () => {
      const role = (await this.members(conversation))[uri];
      return roles.some((wanted) => wanted === role);
    }, timeout);
  }

  /** Title, description, mode and so on. */
  async infos(conversation: string): Promise<Record<string, string>> {
    return textMap(await this.#own("conversationInfos", conversation));
  }

  async setInfos(conversation: string, infos: Record<string, string>): Promise<void> {
    await this.#own("updateConversationInfos", conversation, infos);
  }

  /** As an admin: votes for a ban; the vote of the only admin is enough. */
  async ban(conversation: string, uri: string): Promise<void> {
    await this.#own("removeConversationMember", conversation, uri);
  }

  /** As an admin. Debian's jamid takes a new invitation of a banned member as a vote to unban. */
  async unban(conversation: string, uri: string): Promise<void> {
    await this.invite(conversation, uri);
  }

  // -- messages

  /** Posts a text; `performance.now()` of just before. Bursts lose their order: wait for each message's own event to keep it. */
  async send(conversation: string, body: string): Promise<number> {
    const at = performance.now();
    await this.#own("sendMessage", conversation, body, "", REPLY);
    return at;
  }

  async reply(conversation: string, body: string, to: string): Promise<void> {
    await this.#own("sendMessage", conversation, body, to, REPLY);
  }

  /** Changes a message of its own; an empty text deletes it. */
  async edit(conversation: string, body: string, message: string): Promise<void> {
    await this.#own("sendMessage", conversation, body, message, EDIT);
  }

  async react(conversation: string, emoji: string, message: string): Promise<void> {
    await this.#own("sendMessage", conversation, emoji, message, REACTION);
  }

  async sendFile(conversation: string, path: string, name = "", replyTo = ""): Promise<void> {
    await this.#own("sendFile", conversation, path, name, replyTo);
  }

  /** Asks the members for a file that a message announces; event `dataTransferEvent`. */
  async download(conversation: string, message: string, file: string, path: string): Promise<void> {
    await this.#own("downloadFile", conversation, message, file, path);
  }

  async displayed(conversation: string, message: string): Promise<void> {
    await this.#own("setMessageDisplayed", `swarm:${conversation}`, message, 3);
  }

  async composing(conversation: string, on = true): Promise<void> {
    await this.#own("setIsComposing", `swarm:${conversation}`, on);
  }

  /** The last `limit` commits (0: all), newest first, merges included. */
  async history(conversation: string, limit = 0, timeout = 120_000): Promise<Message[]> {
    const since = this.mark();
    const request = await this.#own("loadConversationMessages", conversation, "", limit);
    const loaded = await this.waitEvent("conversationLoaded", ([id]) => id === request, { since, timeout });
    return textMaps(loaded.args[3]);
  }

  /** The first commit of the conversation (from `since` on) for which `test` holds, its own included. */
  async waitMessage(
    conversation: string,
    test: (message: Message) => boolean = () => true,
    options: WaitOptions = {},
  ): Promise<DaemonEvent & { message: Message }> {
    const event = await this.waitEvent(
      "messageReceived",
      ([, where, message]) => where === conversation && test(textMap(message)),
      options,
    );
    return { ...event, message: textMap(event.args[2]) };
  }

  async waitText(
    conversation: string,
    body: string,
    options: WaitOptions = {},
  ): Promise<DaemonEvent & { message: Message }> {
    return await this.waitMessage(conversation, (message) => message.body === body, options);
  }

  // -- files

  /** The conversation's git repository on disk: for reading. */
  repoPath(conversation: string): string {
    return `${this.home}/data/jami/${this.account}/conversations/${conversation}`;
  }

  /** What git says about that repository: `git(conversation, "log", "--oneline")`. @throws when git fails */
  async git(conversation: string, ...args: string[]): Promise<string> {
    const where = ["-c", "safe.directory=*", "-C", this.repoPath(conversation)];
    const output = await new Deno.Command("git", { args: [...where, ...args] }).output();
    if (!output.success) throw new Error(`git ${args.join(" ")}: ${new TextDecoder().decode(output.stderr)}`);
    return new TextDecoder().decode(output.stdout);
  }

  #config(method: string, ...args: DBusArgument[]): Promise<DBusValue | undefined> {
    return this.call("ConfigurationManager", method, ...args);
  }

  /** A method whose first argument is the account. */
  #own(method: string, ...args: DBusArgument[]): Promise<DBusValue | undefined> {
    return this.#config(method, this.account, ...args);
  }

  async #learn(): Promise<void> {
    this.uri = (await this.details())["Account.username"] ?? "";
    this.device = (await this.volatileDetails())["Account.deviceID"] ?? "";
  }
}

/** Daemons with one registered account each, all ready for trust requests. */
export async function people(network: Network, ...names: string[]): Promise<JamiDaemon[]> {
  return await Promise.all(names.map(async (name) => {
    const daemon = await JamiDaemon.start(network, name);
    await daemon.createAccount();
    await daemon.waitRegistered({ settle: SETTLE });
    return daemon;
  }));
}

/** `a` asks, `b` accepts; their one-to-one conversation, once both are in it. */
export async function befriend(a: JamiDaemon, b: JamiDaemon): Promise<string> {
  await a.addContact(b.uri);
  await b.acceptContact(a.uri);
  const conversation = await a.conversationWith(b.uri);
  await b.until("the one-to-one", async () => (await b.conversations()).includes(conversation));
  await a.waitMember(conversation, b.uri);
  return conversation;
}

/**
 * `owner` makes a group with the others (contacts or not); its id, once all see all. When somebody stays behind for 10 s, because a
 * notification got lost, the owner posts a dot.
 */
export async function group(owner: JamiDaemon, ...others: JamiDaemon[]): Promise<string> {
  const conversation = await owner.startGroup();
  for (const other of others) {
    await owner.invite(conversation, other.uri);
    await other.acceptGroup(conversation);
    await owner.waitMember(conversation, other.uri);
  }
  const everyone = [owner, ...others];
  const nudge = setInterval(() => owner.send(conversation, "."), 10_000);
  try {
    for (const one of everyone) for (const other of everyone) await one.waitMember(conversation, other.uri, IN, 90_000);
  } finally {
    clearInterval(nudge);
  }
  return conversation;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @throws {TypeError} when it is none */
export function text(value: DBusValue | undefined): string {
  if (typeof value !== "string") throw new TypeError(`not a string: ${value}`);
  return value;
}

/** @throws {TypeError} when it is no array of strings */
export function texts(value: DBusValue | undefined): string[] {
  if (!Array.isArray(value)) throw new TypeError(`not an array: ${value}`);
  return value.map(text);
}

/** @throws {TypeError} when it is no `a{ss}` */
export function textMap(value: DBusValue | undefined): Record<string, string> {
  if (typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array) {
    throw new TypeError(`not a map: ${value}`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, text(item)]));
}

/** @throws {TypeError} when it is no `aa{ss}` */
export function textMaps(value: DBusValue | undefined): Record<string, string>[] {
  if (!Array.isArray(value)) throw new TypeError(`not an array: ${value}`);
  return value.map(textMap);
}
