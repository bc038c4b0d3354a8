/** A peer whose every stage a test drives by hand: signalling, ICE, then its own bytes, or TLS and then its own bytes. */

import tls from "node:tls";
import { systemClock } from "../../../core/base/clock.ts";
import { systemRandom } from "../../../core/base/random.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import type { IceLink } from "../../../core/transport/ice_link.ts";
import { IceListener } from "../../../core/transport/ice_listener.ts";
import { IceSession } from "../../../core/transport/ice_session.ts";
import { formatIceText, type IceText, localCandidates, parseIceText } from "../../../core/transport/ice_text.ts";
import { type KeyFamily, type Signal, Signalling, type SignallingDht } from "../../../core/transport/signalling.ts";
import { secure } from "../../../core/transport/tls.ts";
import type { TestDevice } from "./support.ts";

/** A connection after ICE. */
export interface RawLink {
  session: IceSession;
  link: IceLink;
  early: Uint8Array<ArrayBuffer>[];
}

export class RawPeer {
  readonly listener = new IceListener(systemClock);
  readonly #signalling: Signalling;
  readonly #sessions: IceSession[] = [];
  readonly #links: IceLink[] = [];
  #received = Promise.withResolvers<Signal>();

  constructor(
    readonly device: TestDevice,
    dht: SignallingDht,
    private readonly families: KeyFamily[] = ["long"],
    private readonly address = "127.0.0.1",
  ) {
    this.#signalling = new Signalling({
      identity: device,
      dht,
      clock: systemClock,
      random: systemRandom,
      received: (signal) => this.#received.resolve(signal),
    });
    this.listener.start(0);
    this.#signalling.start();
  }

  async stop(): Promise<void> {
    this.#signalling.stop();
    this.listener.stop();
    for (const session of this.#sessions) session.close("stop");
    for (const link of this.#links) link.close();
    await Promise.all(this.#links.map((link) => link.done));
  }

  /** The next signal from the other side. */
  async signal(): Promise<Signal> {
    const signal = await this.#received.promise;
    this.#received = Promise.withResolvers();
    return signal;
  }

  /** Sends a request, and gives the text of the answer. */
  async ask(target: PublicKey, session: IceSession, id = systemRandom.id() >> 11n || 1n): Promise<IceText> {
    await this.#signalling.send(
      target,
      { id, iceText: this.text(session), isAnswer: false, connType: "" },
      this.families,
    );
    return parseIceText((await this.signal()).request.iceText);
  }

  /** Answers the next request, and gives its text. */
  async reply(session: IceSession): Promise<IceText> {
    const { from, request, family } = await this.signal();
    const answer = { id: request.id, iceText: this.text(session), isAnswer: true, connType: "" };
    await this.#signalling.send(from, answer, [family]);
    return parseIceText(request.iceText);
  }

  session(role: "controlling" | "controlled"): IceSession {
    const session = new IceSession({ role, clock: systemClock, random: systemRandom, dialLoopback: true });
    this.#sessions.push(session);
    this.listener.add(session);
    return session;
  }

  text({ ufrag, pwd }: IceSession): string {
    return formatIceText({ ufrag, pwd, candidates: localCandidates([this.address], [], this.listener.port) });
  }

  /** Asks for a connection, up to the end of ICE: we are to be the TLS server. The chosen link needs the ClientHello to be chosen. */
  async request(target: PublicKey): Promise<RawLink> {
    const session = this.session("controlled");
    session.start(await this.ask(target, session));
    return await this.#selected(session);
  }

  /** Answers a request, up to the end of ICE: we are to be the TLS client. */
  async answer(): Promise<RawLink> {
    const session = this.session("controlling");
    session.start(await this.reply(session));
    return await this.#selected(session);
  }

  async #selected(session: IceSession): Promise<RawLink> {
    const selected = await session.selected;
    this.#links.push(selected.link);
    return { session, ...selected };
  }

  /** The right TLS side with these keys, the peer's certificates not looked at. */
  async tls(raw: RawLink, chain = this.device.chainPem, key = this.device.key.toPem()): Promise<tls.TLSSocket> {
    const { socket } = await secure({
      session: raw.session,
      selected: raw,
      clock: systemClock,
      key,
      chain,
      check: () => ({ account: "", device: "", shortId: "", chain: [] }),
    });
    return socket;
  }
}

/** Resolves when the other side has closed a plain TCP connection; its bytes are thrown away. */
export async function closedByPeer(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4096);
  try {
    while (await conn.read(buffer) !== null);
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)) throw error;
  } finally {
    conn.close();
  }
}
