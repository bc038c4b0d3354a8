/** TLS inside the frames of the chosen TCP connection, with certificates on both sides that are checked by us (connection.md 5). */

import tls from "node:tls";
import { Duplex } from "node:stream";
import { Buffer } from "node:buffer";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf, TimeoutError } from "../base/errors.ts";
import { Certificate } from "../identity/certificate.ts";
import type { Peer } from "../identity/chain.ts";
import { MAX_CHAIN, TLS_TIMEOUT } from "./constants.ts";
import type { IceLink } from "./ice_link.ts";
import type { IceSession, Selected } from "./ice_session.ts";

/** The handshake failed, or the peer's certificates were refused. */
export class TlsError extends KituoError {}

/** What a handshake needs. */
export interface TlsOptions {
  session: IceSession;
  selected: Selected;
  clock: Clock;
  /** Our device key, PEM. */
  key: string;
  /** Our whole chain, PEM, leaf first: with less the peers refuse (5.4). */
  chain: string;
  /** Who the presented certificates speak for. @throws to refuse them */
  check(chain: Certificate[]): Peer;
}

// AES-256 and ChaCha20 only: what the peers accept (5.1), no anonymous suite.
const CIPHERS = [
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-CHACHA20-POLY1305",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
].join(":");

/**
 * Makes the handshake: the controlled side of ICE is the server. The socket is returned paused, with nothing read from it.
 * @throws {TlsError} also when the peer's certificates do not pass `check`
 * @throws {TimeoutError} after 40 s
 */
export async function secure(options: TlsOptions): Promise<{ socket: tls.TLSSocket; peer: Peer }> {
  const { selected, session, clock } = options;
  const server = session.role === "controlled";
  const duplex = new LinkDuplex(selected.link);
  const common = {
    key: options.key,
    cert: options.chain,
    rejectUnauthorized: false, // self-made authorities: `check` decides
    minVersion: "TLSv1.2" as const, // a client with 1.3 only is dropped by the peers (5.3)
    maxVersion: "TLSv1.3" as const,
    ciphers: CIPHERS,
    ecdhCurve: "P-384:P-521:X25519",
  };
  const socket = server
    ? new tls.TLSSocket(duplex, { ...common, isServer: true, requestCert: true })
    : tls.connect({ ...common, socket: duplex, servername: "" });
  socket.on("pause", () => duplex.hold(true));
  socket.on("resume", () => duplex.hold(false));
  const handshake = shaken(socket, selected.link, server ? "secure" : "secureConnect", clock);
  // The server socket must see an empty stream first: bytes that are no TLS record and are already there would be an uncaught
  // TypeError in the runtime. A macrotask is late enough, a microtask is not.
  setImmediate(() => duplex.begin(session, selected.early));
  try {
    await handshake;
    return { socket, peer: options.check(presentedChain(socket)) };
  } catch (error) {
    socket.destroy();
    selected.link.close();
    if (error instanceof TimeoutError) throw error;
    throw new TlsError(messageOf(error), { cause: error });
  }
}

function shaken(socket: tls.TLSSocket, link: IceLink, event: string, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(TLS_TIMEOUT, () => reject(new TimeoutError("TLS handshake", TLS_TIMEOUT)));
    const end = (error?: Error) => {
      cancel();
      reject(error ?? new TlsError("closed during the handshake"));
    };
    // These stay for the life of the socket: an error without listener would end the process.
    socket.on("error", end);
    socket.on("close", () => end());
    link.done.then(() => end()); // the runtime says nothing when TCP ends during a handshake
    socket.once(event, () => {
      cancel();
      resolve();
    });
  });
}

/** The certificates that the peer sent, leaf first; none when it sent none. */
function presentedChain(socket: tls.TLSSocket): Certificate[] {
  const chain: Certificate[] = [];
  const seen = new Set<string>();
  let next = socket.getPeerCertificate(true);
  // The top is its own issuer; the count bounds what a peer can make us parse.
  while (next?.raw && !seen.has(next.fingerprint256) && chain.length <= MAX_CHAIN) {
    seen.add(next.fingerprint256);
    chain.push(Certificate.fromDer(next.raw));
    next = next.issuerCertificate;
  }
  if (chain.length === 0) throw new TlsError("the peer sent no certificate");
  return chain;
}

/** The chosen connection as the stream that TLS runs on. */
class LinkDuplex extends Duplex {
  /** TLS has not taken what it was given yet. */
  #full = false;
  /** Whoever reads what TLS decrypts wants no more for now. */
  #held = false;

  constructor(private readonly link: IceLink) {
    super({ allowHalfOpen: true });
  }

  /** Gives TLS what came early, then all that comes. */
  begin(session: IceSession, early: Bytes[]): void {
    for (const bytes of early.splice(0)) this.push(Buffer.from(bytes));
    this.link.handTo(session.readerFor({
      data: (bytes) => this.#filled(!this.push(Buffer.from(bytes))),
      ended: () => void this.push(null),
    }));
    if (this.link.closed) this.push(null);
    this.#filled(false);
  }

  /**
   * Holds TCP back while the reader of the TLS socket pauses: the runtime's own TLS goes on taking and decrypting everything into its memory
   * when it is paused.
   */
  hold(on: boolean): void {
    this.#held = on;
    this.#update();
  }

  #filled(full: boolean): void {
    this.#full = full;
    this.#update();
  }

  #update(): void {
    if (this.#full || this.#held) this.link.pause();
    else this.link.resume();
  }

  override _read(): void {
    this.#filled(false);
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.link.send(chunk).then(() => done(), done);
  }

  override _final(done: () => void): void {
    done(); // TCP stays open for the peer's close_notify; whoever closes the connection closes it
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.link.end();
    done(error);
  }
}
