/** Messages: out on `msg:` only, in on `msg:` and `sip` (swarm-sync.md 0, 2.4, 3.6). */

import { systemClock } from "../../../core/base/clock.ts";
import { messageOf } from "../../../core/base/errors.ts";
import { Emitter } from "../../../core/base/events.ts";
import { systemRandom } from "../../../core/base/random.ts";
import type { Peer } from "../../../core/identity/chain.ts";
import type { AccountId, DeviceId } from "../../../core/identity/ids.ts";
import { MsgChannel } from "../../../core/messaging/msg_channel.ts";
import { type Payload, readPayload, writePayload } from "../../../core/messaging/payload.ts";
import { SipMessages } from "../../../core/messaging/sip_channel.ts";
import type { Channel, Connection } from "../../../core/transport/channel.ts";

const MAX_TRIES = 20; // of one queued message

export interface LettersOptions {
  account: AccountId;
  /** Connections to all devices of an account that are announced: their `msg:` channels are opened then. */
  reach(account: AccountId, connType: string): Promise<Connection[]>;
  log(message: string): void;
}

export type LettersEvents = {
  message: { peer: Peer; connection: Connection; payload: Payload };
  /** The first `msg:` channel with a device is open. */
  ready: { connection: Connection };
};

interface Queued {
  payload: Payload;
  tries: number;
}

export class Letters extends Emitter<LettersEvents> {
  /** Open `msg:` channels, the last one is written on. */
  readonly #channels = new Map<DeviceId, MsgChannel[]>();
  readonly #opening = new Map<Connection, Promise<void>>();
  /** By account, then by what a newer message replaces. */
  readonly #queues = new Map<AccountId, Map<string, Queued>>();

  constructor(private readonly options: LettersOptions) {
    super();
  }

  /** Takes a `msg:` channel, whoever opened it. */
  attachMsg(channel: Channel): void {
    const { peer, connection } = channel;
    const channels = this.#channels.get(peer.device) ?? [];
    this.#channels.set(peer.device, channels);
    const msg = new MsgChannel(channel, {
      clock: systemClock,
      random: systemRandom,
      onMessage: ({ type, body }) => this.#received(connection, type, body),
    });
    channels.push(msg);
    msg.closed.then(() => channels.splice(channels.indexOf(msg), 1));
    this.#flush(peer.account);
    if (channels.length === 1) this.emit("ready", { connection });
  }

  /** Takes a `sip` channel of a 2023 peer: what it says is understood, nothing is ever said on it. */
  attachSip(channel: Channel): void {
    new SipMessages(channel, {
      clock: systemClock,
      random: systemRandom,
      identity: { account: this.options.account },
      onMessage: ({ parts }) => {
        for (const { type, body } of parts) this.#received(channel.connection, type, body);
      },
    });
    this.#flush(channel.peer.account);
  }

  /** Opens `msg:` on the connection, unless there is one to the device. */
  open(connection: Connection): Promise<void> {
    const running = this.#opening.get(connection);
    if (running) return running;
    const opening = connection.open(`msg:${connection.peer.device}`)
      .then((channel) => this.attachMsg(channel))
      .finally(() => this.#opening.delete(connection));
    this.#opening.set(connection, opening);
    return opening;
  }

  /** Sends to the device at the end of a connection. */
  async sendTo(connection: Connection, payload: Payload): Promise<void> {
    if (!this.#live(connection.peer.device)) await this.open(connection);
    const { type, body } = writePayload(payload, "msg");
    await this.#live(connection.peer.device)?.send({ type, body });
  }

  /** Sends to all devices of an account, now or when one is reached. @param name a newer message of this name replaces it */
  post(account: AccountId, name: string, payload: Payload, connType = ""): void {
    const queue = this.#queues.get(account) ?? new Map<string, Queued>();
    this.#queues.set(account, queue.set(name, { payload, tries: 0 }));
    if (this.#flush(account)) return;
    this.retry(account, connType);
  }

  /** Tries to reach an account for which something waits. */
  retry(account: AccountId, connType = ""): void {
    if (!this.#queues.get(account)?.size) return;
    this.options.reach(account, connType)
      .then((connections) => Promise.all(connections.map((connection) => this.open(connection))))
      .catch((error) => this.options.log(`${account} not reached: ${messageOf(error)}`));
  }

  #live(device: DeviceId): MsgChannel | undefined {
    return this.#channels.get(device)?.findLast((channel) => channel.live);
  }

  /** Writes what waits for the account to all its devices with a channel. Whether there is one. */
  #flush(account: AccountId): boolean {
    const devices = [...this.#channels.values()].flatMap((channels) => channels.findLast(({ live }) => live) ?? [])
      .filter(({ channel }) => channel.peer.account === account);
    const queue = this.#queues.get(account);
    if (devices.length === 0 || !queue) return devices.length > 0;
    for (const [name, queued] of queue) {
      queue.delete(name);
      const { type, body } = writePayload(queued.payload, "msg");
      Promise.any(devices.map((channel) => channel.send({ type, body }))).catch(() => {
        if (++queued.tries < MAX_TRIES && !queue.has(name)) queue.set(name, queued);
      });
    }
    return true;
  }

  #received(connection: Connection, type: string, body: string): void {
    try {
      this.emit("message", { peer: connection.peer, connection, payload: readPayload(type, body) });
    } catch (error) {
      this.options.log(`a message of ${connection.peer.device} was dropped: ${messageOf(error)}`);
    }
  }
}
