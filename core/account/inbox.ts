/** The device's inbox on the DHT: anybody may write there, so everything is bounded before it costs an RSA operation (account.md 6 and 14). */

import { getLogger } from "@logtape/logtape";
import { type Clock, sleep } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap, TokenBucket } from "../base/limits.ts";
import type { Dht } from "../dht/dht.ts";
import { infoHash } from "../dht/info_hash.ts";
import type { Value } from "../dht/value.ts";
import { decryptValue } from "../dht/value_crypto.ts";
import { checkChain, type Peer } from "../identity/chain.ts";
import type { Identity } from "../identity/identity.ts";
import type { PublicKey } from "../identity/keys.ts";
import type { CertificateBook } from "./certificates.ts";
import { CERTIFICATE_RETRY_MS, INBOX_BURST, INBOX_RATE } from "./constants.ts";
import { decodeTrustRequest, TRUST_REQUEST_TYPE, type TrustRequest } from "./trust_request.ts";

const log = getLogger(["kituo", "account"]);

/** The DHT key of a device's inbox (account.md 6.1). */
export function inboxKey(shortId: string): string {
  return infoHash(`inbox:${shortId}`);
}

export class Inbox extends Emitter<{ request: { from: Peer; request: TrustRequest } }> {
  #listening: { stop(): void } | null = null;
  #seen = new LruMap<string, true>(4_096);
  #bucket: TokenBucket;
  #stopped = new AbortController();

  constructor(
    private readonly deps: {
      dht: Pick<Dht, "listen">;
      identity: Identity;
      certificates: CertificateBook;
      clock: Clock;
    },
  ) {
    super();
    this.#bucket = new TokenBucket(deps.clock, INBOX_RATE, INBOX_BURST);
  }

  start(): void {
    const { dht, identity } = this.deps;
    this.#listening = dht.listen(inboxKey(identity.shortId), (value, expired) => {
      if (expired) return;
      this.#onValue(value).catch((error) => log.info("inbox: {error}", { error: messageOf(error) }));
    });
  }

  stop(): void {
    this.#listening?.stop();
    this.#stopped.abort();
  }

  async #onValue(value: Value): Promise<void> {
    const name = `${value.id}:${value.cypher?.length}`;
    if (!value.cypher || this.#seen.has(name)) return;
    this.#seen.set(name, true);
    if (!this.#bucket.take()) return void log.warn("the inbox is flooded: a value was dropped");
    const plain = await decryptValue(value, this.deps.identity.key);
    if (!plain?.owner || plain.type !== TRUST_REQUEST_TYPE) return; // for another device, or of a kind we do not use
    const request = decodeTrustRequest(plain.data);
    const from = await this.#sender(plain.owner);
    if (from) this.emit("request", { from, request });
    else {log.info("a trust request of a device without a certificate was dropped: {device}", {
        device: plain.owner.longId,
      });}
  }

  /** Who owns the device key that signed; its certificate may come later than the request. */
  async #sender(key: PublicKey): Promise<Peer | null> {
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
