/** Connection requests and answers over the DHT, under both families of keys (connection.md 2). */

import { createHash } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import { type Bytes, hex } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { LimitError, messageOf, ProtocolError } from "../base/errors.ts";
import { LruMap, Semaphore, TokenBucket } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { type InfoHash, infoHash } from "../dht/info_hash.ts";
import type { Value } from "../dht/value.ts";
import { decryptValue, encryptValue } from "../dht/value_crypto.ts";
import type { Identity } from "../identity/identity.ts";
import type { PublicKey } from "../identity/keys.ts";
import {
  DECRYPT_BURST,
  DECRYPT_PARALLEL,
  DECRYPT_QUEUE,
  DECRYPT_RATE,
  MAX_SIGNALLING_VALUE,
  SIGNER_BURST,
  SIGNER_RATE,
  SIGNERS_REMEMBERED,
  VALUES_REMEMBERED,
} from "./constants.ts";
import { decodePeerRequest, encodePeerRequest, PEER_REQUEST_TYPE, type PeerRequest } from "./peer_request.ts";

const log = getLogger(["kituo", "transport"]);

/** 2023's peers use the key of the short device id, today's that of the long one (2.1). */
export type KeyFamily = "short" | "long";

/** Both generations: what a node that serves everybody uses. */
export const ALL_FAMILIES: readonly KeyFamily[] = ["short", "long"];

/** A request or answer whose signature was checked. */
export interface Signal {
  from: PublicKey;
  request: PeerRequest;
  /** Where it came: answers go back on the same family. */
  family: KeyFamily;
}

/** What is used of our identity. */
export type OwnDevice = Pick<Identity, "device" | "key" | "chainPem">;

/** What is used of the DHT. */
export interface SignallingDht {
  listen(key: InfoHash, on: (value: Value, expired: boolean) => void): { stop(): void };
  put(key: InfoHash, value: Value): Promise<unknown>;
}

export interface SignallingOptions {
  identity: OwnDevice;
  dht: SignallingDht;
  clock: Clock;
  random: Random;
  /** The families that are listened on; default: both. */
  families?: readonly KeyFamily[];
  /** Ids of requests that were treated before: they do not count against their signer. */
  seen?: { has(id: bigint): boolean };
  received(signal: Signal): void;
}

/** The key at which a device hears of connections. */
export function peerKey(device: PublicKey, family: KeyFamily): InfoHash {
  return infoHash(`peer:${family === "short" ? device.id : device.longId}`);
}

export class Signalling {
  readonly #options: SignallingOptions;
  readonly #decrypting = new Semaphore("decryptions of connection requests", DECRYPT_PARALLEL, DECRYPT_QUEUE);
  readonly #decryptRate: TokenBucket;
  readonly #signers = new LruMap<string, TokenBucket>(SIGNERS_REMEMBERED);
  /** Digests of the cyphers already looked at: one value may stand at both keys, and comes again when it is refreshed. */
  readonly #values = new LruMap<string, true>(VALUES_REMEMBERED);
  #listeners: { stop(): void }[] = [];

  constructor(options: SignallingOptions) {
    this.#options = options;
    this.#decryptRate = new TokenBucket(options.clock, DECRYPT_RATE, DECRYPT_BURST);
  }

  /** Begins to listen at our keys. */
  start(): void {
    const { identity, dht, families = ALL_FAMILIES } = this.#options;
    this.#listeners = families.map((family) =>
      dht.listen(peerKey(identity.key.publicKey, family), (value, expired) => {
        if (!expired) this.#receive(value, family);
      })
    );
  }

  stop(): void {
    for (const listener of this.#listeners.splice(0)) listener.stop();
  }

  /** Puts a request or answer, signed by us and encrypted to `to`, at its keys of these families. */
  async send(to: PublicKey, request: PeerRequest, families: readonly KeyFamily[]): Promise<void> {
    const { identity, dht, random } = this.#options;
    const plain: Value = {
      id: random.id(),
      type: 0,
      data: encodePeerRequest(request),
      userType: PEER_REQUEST_TYPE,
      ...(request.connType ? { pushType: request.connType } : {}),
    };
    const value = await encryptValue(plain, identity.key, to);
    await Promise.all(families.map((family) => dht.put(peerKey(to, family), value)));
  }

  /** Everybody can put values here: each step is cheaper than the next, and bounded. */
  async #receive(value: Value, family: KeyFamily): Promise<void> {
    const { cypher } = value;
    if (!cypher || cypher.length > MAX_SIGNALLING_VALUE) return;
    const digest = digestOf(cypher);
    if (this.#values.has(digest)) return;
    this.#values.set(digest, true);
    if (!this.#decryptRate.take()) return;
    try {
      const plain = await this.#decrypting.run(() => decryptValue(value, this.#options.identity.key));
      if (!plain?.owner || plain.userType !== PEER_REQUEST_TYPE) return;
      if (plain.owner.longId === this.#options.identity.device) return;
      const request = decodePeerRequest(plain.data);
      // After a restart all of the last 10 minutes comes again, answers too: only a new request costs anything.
      const isNew = !request.isAnswer && !this.#options.seen?.has(request.id);
      if (isNew && !this.#withinRate(plain.owner)) return;
      this.#options.received({ from: plain.owner, request, family });
    } catch (error) {
      const expected = error instanceof ProtocolError || error instanceof LimitError;
      log[expected ? "debug" : "error"]("a signalling value was dropped: {error}", { error: messageOf(error) });
    }
  }

  #withinRate(signer: PublicKey): boolean {
    let bucket = this.#signers.get(signer.longId);
    if (!bucket) {
      bucket = new TokenBucket(this.#options.clock, SIGNER_RATE, SIGNER_BURST);
      this.#signers.set(signer.longId, bucket);
    }
    return bucket.take();
  }
}

function digestOf(cypher: Bytes): string {
  return hex(createHash("sha256").update(cypher).digest());
}
