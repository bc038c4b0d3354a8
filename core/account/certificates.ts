/**
 * Certificate chains of other devices, and revocation lists of their accounts: kept for ever in the store, looked up on the DHT under the keys of both
 * generations (account.md 1.3), and published again under both, which lets peers of the two generations find each other.
 */

import { getLogger } from "@logtape/logtape";
import { type Bytes, fromHex, text, utf8 } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap } from "../base/limits.ts";
import { decode, encode } from "../base/msgpack.ts";
import { systemRandom } from "../base/random.ts";
import type { Dht } from "../dht/dht.ts";
import { type InfoHash, infoHashOf } from "../dht/info_hash.ts";
import type { Value } from "../dht/value.ts";
import { Certificate, chainToPem } from "../identity/certificate.ts";
import { checkChain, type Peer } from "../identity/chain.ts";
import type { AccountId, DeviceId, ShortId } from "../identity/ids.ts";
import { PublicKey } from "../identity/keys.ts";
import { RevocationList } from "../identity/revocation.ts";
import type { Store } from "../store/store.ts";
import { LOOKUP_TIMEOUT_MS, MAX_BRIDGED_CHAINS, MAX_CERTIFICATE_VALUE, MAX_CRL_VALUE } from "./constants.ts";

const log = getLogger(["kituo", "account"]);

/** The DHT value type of a certificate; its value id is always 1. */
const CERTIFICATE_TYPE = 8;

/** The two DHT keys of a device's certificate: 2023's and today's (account.md 1.3). */
export function certificateKeys(key: PublicKey): [InfoHash, InfoHash] {
  return [key.id, infoHashOf(fromHex(key.longId))];
}

/** The DHT value that publishes a chain. */
export function certificateValue(chainPem: string): Value {
  return { id: 1n, type: CERTIFICATE_TYPE, data: encode(utf8(chainPem)) };
}

export class CertificateBook extends Emitter<{ revoked: { account: AccountId; list: RevocationList } }> {
  #lookups = new Map<string, Promise<Certificate[] | null>>();
  #parsed = new LruMap<DeviceId, Certificate[]>(2_000);
  #bridged = new Map<DeviceId, { stop(): void }[]>();
  #unverified = new LruMap<AccountId, Bytes>(256);

  constructor(
    private readonly dht: Pick<Dht, "get" | "keep">,
    private readonly store: Store,
    private readonly clock: Clock,
  ) {
    super();
  }

  /** The checked chain of the device with this key, leaf first; `null` when nobody has it. */
  async find(key: PublicKey): Promise<Certificate[] | null> {
    return this.known(key.longId) ??
      await this.#lookUp(key.longId, certificateKeys(key), (leaf) => leaf.publicKey.longId === key.longId);
  }

  /** The same by the older name of a device. */
  async findByShortId(shortId: ShortId): Promise<Certificate[] | null> {
    const row = this.store.certificates.byShortId(shortId);
    if (row) return this.known(row.device);
    return await this.#lookUp(shortId, [shortId], (leaf) => leaf.publicKey.id === shortId);
  }

  /** The chain of a device, if it was ever seen. */
  known(device: DeviceId): Certificate[] | null {
    const parsed = this.#parsed.get(device);
    if (parsed) return parsed;
    const row = this.store.certificates.byDevice(device);
    if (!row) return null;
    const chain = Certificate.listFromPem(row.chainPem);
    this.#parsed.set(device, chain);
    return chain;
  }

  /** The devices of an account that were ever seen. */
  devicesOf(account: AccountId): PublicKey[] {
    const keys: PublicKey[] = [];
    for (const { device } of this.store.certificates.byAccount(account)) {
      const leaf = this.known(device)?.[0];
      if (leaf) keys.push(leaf.publicKey);
    }
    return keys;
  }

  /** Keeps the chain of a peer whose certificates were checked. */
  remember(peer: Peer): void {
    if (this.known(peer.device)) return;
    this.store.certificates.put({
      device: peer.device,
      shortId: peer.shortId,
      account: peer.account,
      chainPem: chainToPem(peer.chain),
      seen: this.clock.now(),
    });
    this.#parsed.set(peer.device, peer.chain);
    const waiting = this.#unverified.get(peer.account);
    if (waiting) this.learnRevocations(peer.account, waiting);
  }

  /** The revocation lists of an account. */
  revocations(account: AccountId): RevocationList[] {
    const row = this.store.revocations.get(account);
    return row ? [RevocationList.fromDer(row.der)] : [];
  }

  /** Takes in a revocation list found at the account's DHT key, if the account signed it (account.md 5). */
  learnRevocations(account: AccountId, der: Bytes): void {
    if (der.length > MAX_CRL_VALUE) return;
    const issuer = this.#accountCertificate(account);
    if (!issuer) return void this.#unverified.set(account, der);
    this.#unverified.delete(account);
    try {
      const list = RevocationList.fromDer(der);
      if (!list.isSignedBy(issuer)) return;
      if (!this.store.revocations.put({ account, number: list.number ?? 0n, der })) return;
      log.info("account {account} revoked devices", { account });
      this.emit("revoked", { account, list });
    } catch (error) {
      log.debug("an unreadable revocation list of {account}: {error}", { account, error: messageOf(error) });
    }
  }

  /** Publishes a member's chain at both keys, so that peers of either generation find it; bounded. */
  bridge(device: DeviceId): void {
    const chain = this.known(device);
    if (!chain || this.#bridged.has(device) || this.#bridged.size >= MAX_BRIDGED_CHAINS) return;
    const value = certificateValue(chainToPem(chain));
    this.#bridged.set(device, certificateKeys(chain[0].publicKey).map((key) => this.dht.keep(key, value)));
  }

  /** Stops all publishing. */
  stop(): void {
    for (const puts of this.#bridged.values()) puts.forEach((put) => put.stop());
    this.#bridged.clear();
  }

  #accountCertificate(account: AccountId): Certificate | null {
    for (const { device } of this.store.certificates.byAccount(account)) {
      const certificate = this.known(device)?.find((c) => c.publicKey.id === account);
      if (certificate) return certificate;
    }
    return null;
  }

  /** One look-up at a time for each device. */
  #lookUp(name: string, keys: InfoHash[], wanted: (leaf: Certificate) => boolean): Promise<Certificate[] | null> {
    const running = this.#lookups.get(name);
    if (running) return running;
    const lookup = this.#ask(keys, wanted).finally(() => this.#lookups.delete(name));
    this.#lookups.set(name, lookup);
    return lookup;
  }

  #ask(keys: InfoHash[], wanted: (leaf: Certificate) => boolean): Promise<Certificate[] | null> {
    const { promise, resolve } = Promise.withResolvers<Certificate[] | null>();
    const onValue = (value: Value) => {
      const chain = readChain(value);
      if (!chain || !wanted(chain[0])) return;
      try {
        this.remember(checkChain(chain, { now: this.clock.now() }));
        resolve(chain);
      } catch (error) {
        log.debug("a bad chain on the DHT: {error}", { error: messageOf(error) });
      }
    };
    const gets = keys.map((key) => this.dht.get(key, { onValue, timeout: LOOKUP_TIMEOUT_MS }));
    Promise.allSettled(gets).then(() => resolve(null));
    return promise;
  }
}

/** The chain in a certificate value: PEM texts, wrapped as msgpack bin or not (account.md 1.3). */
function readChain(value: Value): Certificate[] | null {
  if (value.type !== CERTIFICATE_TYPE || value.cypher || value.data.length > MAX_CERTIFICATE_VALUE) return null;
  try {
    const pem = text(value.data);
    return Certificate.listFromPem(pem.slice(pem.indexOf("-----BEGIN CERTIFICATE-----")));
  } catch {
    return null; // anybody may publish here
  }
}

/** The DER of a revocation list, if the value is one (account.md 5): unsigned, type 0, msgpack bin. */
export function readRevocationValue(value: Value): Bytes | null {
  if (value.type !== 0 || value.cypher || value.owner || value.data.length > MAX_CRL_VALUE) return null;
  try {
    const der = decode(value.data);
    return der instanceof Uint8Array && der[0] === 0x30 ? der : null;
  } catch {
    return null; // anybody may publish here
  }
}

/** A random id for a value that is put once. */
export function randomValueId(): bigint {
  return systemRandom.id();
}
