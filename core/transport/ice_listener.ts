/** The one TCP port of all sessions: connections are told apart by the user name in their first check (connection.md 3.4, 10). */

import { getLogger } from "@logtape/logtape";
import { text } from "../base/bytes.ts";
import { type Clock, sleep } from "../base/clock.ts";
import { messageOf, ProtocolError } from "../base/errors.ts";
import { MAX_STRANGERS, MAX_STRANGERS_PER_ADDRESS, STRANGER_TIMEOUT } from "./constants.ts";
import { IceLink } from "./ice_link.ts";
import type { IceSession } from "./ice_session.ts";
import { attributeOf, decodeStun, hasIntegrity, StunAttribute, StunType } from "./stun.ts";

const log = getLogger(["kituo", "transport"]);
/** Pause after an accept that failed: the process has no file descriptors left. */
const ACCEPT_PAUSE = 200;

/** Connections that came from one kind of place. */
export interface Incoming {
  count: number;
  /** Milliseconds since 1970, 0 for never. */
  last: number;
  /** IP address of the last one. */
  from: string;
}

export class IceListener {
  /** Connections that showed a check of a peer: from the machine's own networks, and from elsewhere. */
  readonly incoming = { near: nobodyYet(), far: nobodyYet() };
  readonly #sessions = new Map<string, IceSession>();
  /** Connections that have not shown a check for a session yet, counted by address. */
  readonly #strangers = new Map<string, number>();
  readonly #links = new Set<IceLink>();
  #listener: Deno.TcpListener | null = null;

  /** @param isNear is this the IP address of a machine in one of our own networks? */
  constructor(private readonly clock: Clock, private readonly isNear: (address: string) => boolean = () => false) {}

  /** The port listened on, 0 before the start. */
  get port(): number {
    return this.#listener?.addr.port ?? 0;
  }

  /**
   * Begins to listen, on all addresses of both families where the machine has both; does nothing when it listens.
   * @param port 0 for any
   * @throws when the port is taken
   */
  start(port: number): void {
    if (this.#listener) return;
    try {
      this.#listener = Deno.listen({ hostname: "::", port });
    } catch (error) {
      if (error instanceof Deno.errors.AddrInUse) throw error;
      this.#listener = Deno.listen({ hostname: "0.0.0.0", port }); // no IPv6 on this machine
    }
    this.#accept(this.#listener);
  }

  /** Stops listening and closes the connections that belong to no session yet. */
  stop(): void {
    this.#listener?.close();
    this.#listener = null;
    for (const link of [...this.#links]) link.close();
  }

  /** From now on connections with this session's ufrag go to it. */
  add(session: IceSession): void {
    this.#sessions.set(session.ufrag, session);
  }

  remove(session: IceSession): void {
    this.#sessions.delete(session.ufrag);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    while (this.#listener === listener) {
      try {
        this.#welcome(await listener.accept());
      } catch (error) {
        if (this.#listener !== listener) return;
        log.warn("accepting a TCP connection failed: {error}", { error: messageOf(error) });
        await sleep(this.clock, ACCEPT_PAUSE);
      }
    }
  }

  #welcome(conn: Deno.TcpConn): void {
    const address = conn.remoteAddr.hostname;
    const count = (this.#strangers.get(address) ?? 0) + 1;
    if (count > MAX_STRANGERS_PER_ADDRESS || this.#links.size >= MAX_STRANGERS) return conn.close();
    this.#strangers.set(address, count);
    const known = () => {
      if (!this.#links.delete(link)) return;
      cancel();
      const left = (this.#strangers.get(address) ?? 1) - 1;
      if (left > 0) this.#strangers.set(address, left);
      else this.#strangers.delete(address);
    };
    const link = new IceLink(conn, this.clock, false, {
      stun: (frame) => {
        const session = this.#sessionOf(frame);
        if (!session) return link.close();
        known();
        this.#count(link.address);
        session.attach(link, frame);
      },
      data: () => link.close(),
      ended: () => known(),
    });
    this.#links.add(link);
    const cancel = this.clock.after(STRANGER_TIMEOUT, () => link.close());
  }

  #count(address: string): void {
    const incoming = this.incoming[this.isNear(address) ? "near" : "far"];
    incoming.count++;
    incoming.last = this.clock.now();
    incoming.from = address;
  }

  /** The session that a first frame is a valid request for. */
  #sessionOf(frame: Uint8Array): IceSession | null {
    try {
      const message = decodeStun(frame);
      const username = attributeOf(message, StunAttribute.username);
      if (message.type !== StunType.request || !username) return null;
      const session = this.#sessions.get(text(username).split(":")[0]);
      return session && hasIntegrity(frame, session.pwd) ? session : null;
    } catch (error) {
      if (error instanceof ProtocolError) return null;
      throw error;
    }
  }
}

function nobodyYet(): Incoming {
  return { count: 0, last: 0, from: "" };
}
