/** The device's inbox on the DHT: anybody may write there, so everything is bounded before it costs an RSA operation (account.md 6 and 14). */

import { getLogger } from "@logtape/logtape";
import { type Clock, sleep } from "../base/clock.ts";
import { LimitError, messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap, TokenBucket } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import type { Dht } from "../dht/dht.ts";
import { infoHash } from "../dht/info_hash.ts";
import { contentDigest, type Value } from "../dht/value.ts";
import { decryptValue, encryptValue } from "../dht/value_crypto.ts";
import { checkChain, type Peer } from "../identity/chain.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccountId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import type { CertificateBook } from "./certificates.ts";
import {
  CERTIFICATE_RETRY_MS,
  INBOX_BURST,
  INBOX_RATE,
  MAX_PENDING_SENDERS,
  RATES_KEPT,
  REQUEST_BURST,
  REQUEST_RATE,
  SEEN_VALUES,
} from "./constants.ts";
import {
  decodeInstantMessage,
  encodeInstantMessage,
  INSTANT_MESSAGE_TYPE,
  type InstantMessage,
} from "./instant_message.ts";
import { decodeTrustRequest, TRUST_REQUEST_TYPE, type TrustRequest } from "./trust_request.ts";

const log = getLogger(["kituo", "account"]);

/** The DHT key of a device's inbox (account.md 6.1). */
export function inboxKey(shortId: string): string {
  return infoHash(`inbox:${shortId}`);
}

export type InboxEvents = {
  request: { from: Peer; request: TrustRequest };
  /** A message of a peer that {@link Inbox} hears; it may come on a channel as well. */
  message: { from: Peer; message: InstantMessage };
};

export class Inbox extends Emitter<InboxEvents> {
  #listening: { stop(): void } | null = null;
  #seen = new LruMap<string, true>(SEEN_VALUES);
  #decryptions: TokenBucket;
  #rates = new LruMap<AccountId, TokenBucket>(RATES_KEPT);
  #senders = 0;
  #stopped = new AbortController();

  constructor(
    private readonly deps: {
      dht: Pick<Dht, "listen" | "put">;
      identity: Identity;
      certificates: CertificateBook;
      clock: Clock;
      random: Random;
      /** Are this peer's messages of interest? */
      hears(peer: Peer): boolean;
    },
  ) {
    super();
    this.#decryptions = new TokenBucket(deps.clock, INBOX_RATE, INBOX_BURST);
  }

  start(): void {
    const { dht, identity } = this.deps;
    this.#listening = dht.listen(inboxKey(identity.shortId), (value, expired) => {
      if (expired) return;
      this.#onValue(value).catch((error) => {
        if (!this.#stopped.signal.aborted) log.info("inbox: {error}", { error: messageOf(error) });
      });
    });
  }

  stop(): void {
    this.#listening?.stop();
    this.#stopped.abort();
  }

  async #onValue(value: Value): Promise<void> {
    if (!value.cypher) return;
    const name = contentDigest(value); // not the id: who knows it could put something else under it, and so hide the value
    if (this.#seen.has(name)) return;
    if (!this.#decryptions.take()) return void log.warn("the inbox is flooded: a value was dropped");
    this.#seen.set(name, true);
    const plain = await decryptValue(value, this.deps.identity.key);
    if (!plain?.owner) return; // for another device
    if (plain.type === TRUST_REQUEST_TYPE) await this.#onRequest(plain.owner, decodeTrustRequest(plain.data));
    else if (plain.type === INSTANT_MESSAGE_TYPE) await this.#onMessage(plain.owner, decodeInstantMessage(plain.data));
  }

  async #onRequest(sender: PublicKey, request: TrustRequest): Promise<void> {
    const from = await this.#sender(sender);
    const device = sender.longId;
    if (!from) {
      return void log.info("a trust request of a device without a certificate was dropped: {device}", { device });
    }
    if (!this.#rate(from.account).take()) return void log.info("too many trust requests of {device}", { device });
    if (!this.#stopped.signal.aborted) this.emit("request", { from, request });
  }

  /**
   * 2023's daemons put a message here while they are still connecting, and wait a minute for its acknowledgement before they use a channel
   * (docs/protocol.md).
   */
  async #onMessage(sender: PublicKey, message: InstantMessage): Promise<void> {
    if (message.body === "") return; // an acknowledgement, of nothing of ours
    const from = await this.#sender(sender);
    if (!from || this.#stopped.signal.aborted || !this.deps.hears(from)) return;
    this.emit("message", { from, message });
    const { dht, identity, clock, random } = this.deps;
    const date = Math.floor(clock.now() / 1_000);
    const data = encodeInstantMessage({ id: message.id, body: "", type: "", date });
    const value = { id: random.id(), type: INSTANT_MESSAGE_TYPE, data };
    await dht.put(inboxKey(identity.shortId), await encryptValue(value, identity.key, sender));
  }

  #rate(account: AccountId): TokenBucket {
    const rate = this.#rates.get(account) ?? new TokenBucket(this.deps.clock, REQUEST_RATE, REQUEST_BURST);
    this.#rates.set(account, rate);
    return rate;
  }

  async #sender(key: PublicKey): Promise<Peer | null> {
    if (this.#senders >= MAX_PENDING_SENDERS) {
      throw new LimitError("senders of trust requests", "too many are looked for");
    }
    this.#senders++;
    try {
      return await this.#lookForSender(key);
    } finally {
      this.#senders--;
    }
  }

  /** Who owns the device key that signed; its certificate may come later than the request. @throws {CertificateError} */
  async #lookForSender(key: PublicKey): Promise<Peer | null> {
    const { certificates, clock } = this.deps;
    for (const wait of [0, ...CERTIFICATE_RETRY_MS]) {
      if (wait) await sleep(clock, wait, this.#stopped.signal);
      const chain = await certificates.find(key);
      if (!chain) continue;
      const { account } = checkChain(chain, { now: clock.now() });
      return checkChain(chain, {
        now: clock.now(),
        revocations: certificates.revocations(account),
        device: key.longId,
      });
    }
    return null;
  }
}
