/**
 * Certificate chains of other devices, and revocation lists of their accounts: kept for ever in the store, looked up on the DHT under the keys of both
 * generations (account.md 1.3), and published again under both, which lets peers of the two generations find each other.
 */

import { getLogger } from "@logtape/logtape";
import { type Bytes, equal } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { LruMap } from "../base/limits.ts";
import { decode } from "../base/msgpack.ts";
import { certificateKeys, certificateValue, longIdKey, readCertificates } from "../dht/certificate_value.ts";
import type { Dht } from "../dht/dht.ts";
import { type InfoHash, infoHashOf } from "../dht/info_hash.ts";
import type { Value } from "../dht/value.ts";
import { Certificate, chainToPem } from "../identity/certificate.ts";
import { checkChain, type Peer } from "../identity/chain.ts";
import type { AccountId, DeviceId, ShortId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import { RevocationList } from "../identity/revocation.ts";
import type { Store } from "../store/store.ts";
import {
  CACHED_CHAINS,
  LOOKUP_TIMEOUT_MS,
  MAX_BRIDGED_CHAINS,
  MAX_CERTIFICATE_VALUE,
  MAX_CRL_VALUE,
  MAX_LOOKUPS,
  MAX_UNVERIFIED_LISTS,
} from "./constants.ts";

const log = getLogger(["kituo", "account"]);

export class CertificateBook extends Emitter<{ revoked: { account: AccountId; list: RevocationList } }> {
  #lookups = new Map<string, Promise<Certificate[] | null>>();
  #parsed = new LruMap<DeviceId, Certificate[]>(CACHED_CHAINS);
  #bridged = new Map<DeviceId, { stop(): void }[]>();
  /** Lists of accounts of which no certificate is known yet, by account and content: anybody may put something there. */
  #unverified = new LruMap<string, { account: AccountId; der: Bytes }>(MAX_UNVERIFIED_LISTS);

  constructor(
    private readonly dht: Pick<Dht, "get" | "keep">,
    private readonly store: Store,
    private readonly clock: Clock,
  ) {
    super();
  }

  /**
   * The checked chain of the device with this key, leaf first; `null` when nobody has it. Anybody can certify anybody's key: name the `account` that the
   * device must belong to, when it is known.
   */
  async find(key: PublicKey, account?: AccountId): Promise<Certificate[] | null> {
    const known = this.#usable(key.longId, account);
    if (known) return known;
    return await this.#lookUp(
      key.longId,
      certificateKeys(key),
      (leaf) => leaf.publicKey.longId === key.longId,
      account,
    );
  }

  /** The same by the older name of a device. */
  async findByShortId(shortId: ShortId, account?: AccountId): Promise<Certificate[] | null> {
    const row = this.store.certificates.byShortId(shortId);
    const known = row && this.#usable(row.device, account);
    return known ?? await this.#lookUp(shortId, [shortId], (leaf) => leaf.publicKey.id === shortId, account);
  }

  /** The same by the id of a device, where today's peers publish. */
  async findByDevice(device: DeviceId, account?: AccountId): Promise<Certificate[] | null> {
    const known = this.#usable(device, account);
    return known ??
      await this.#lookUp(device, [longIdKey(device)], (leaf) => leaf.publicKey.longId === device, account);
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

  /**
   * Keeps the chain that a device showed itself, with proof that it has the key: it takes the place of what others published about the device, or of the
   * one before it was renewed.
   */
  remember(peer: Peer): void {
    const known = this.known(peer.device);
    if (!known || !sameChain(known, peer.chain)) this.#keep(peer);
  }

  /** The revocation lists of an account. */
  revocations(account: AccountId): RevocationList[] {
    const row = this.store.revocations.get(account);
    return row ? [RevocationList.fromDer(row.der)] : [];
  }

  /** Has the account revoked this device? Also false when its certificate was never seen. */
  isRevoked(account: AccountId, device: DeviceId): boolean {
    const lists = this.revocations(account);
    const chain = lists.length > 0 ? this.known(device) : null;
    return chain !== null && lists.some((list) => list.revokes(chain[0]));
  }

  /** Takes in a revocation list found at the account's DHT key, if the account signed it (account.md 5). */
  learnRevocations(account: AccountId, der: Bytes): void {
    if (der.length > MAX_CRL_VALUE) return;
    const issuer = this.#accountCertificate(account);
    const name = `${account}/${infoHashOf(der)}`;
    if (!issuer) return void this.#unverified.set(name, { account, der });
    this.#unverified.delete(name);
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

  /** Publishes a member's chain at both keys, so that peers of either generation find it; the latest ones, when there are too many. */
  bridge(device: DeviceId): void {
    const chain = this.known(device);
    if (!chain || this.#bridged.has(device)) return;
    for (const oldest of this.#bridged.keys()) {
      if (this.#bridged.size < MAX_BRIDGED_CHAINS) break;
      this.#unbridge(oldest);
    }
    const value = certificateValue(chainToPem(chain));
    this.#bridged.set(device, certificateKeys(chain[0].publicKey).map((key) => this.dht.keep(key, value)));
  }

  /** Stops all publishing. */
  stop(): void {
    for (const device of [...this.#bridged.keys()]) this.#unbridge(device);
  }

  #unbridge(device: DeviceId): void {
    this.#bridged.get(device)?.forEach((put) => put.stop());
    this.#bridged.delete(device);
  }

  #keep(peer: Peer): void {
    this.store.certificates.put({
      device: peer.device,
      shortId: peer.shortId,
      account: peer.account,
      chainPem: chainToPem(peer.chain),
      seen: this.clock.now(),
    });
    this.#parsed.set(peer.device, peer.chain);
    const waiting = [...this.#unverified.values()].filter(({ account }) => account === peer.account);
    for (const { account, der } of waiting) this.learnRevocations(account, der);
  }

  /** The known chain of a device if it still holds, and is the account's. */
  #usable(device: DeviceId, account?: AccountId): Certificate[] | null {
    const chain = this.known(device);
    const now = this.clock.now();
    if (!chain?.every(({ notAfter }) => now <= notAfter)) return null;
    return account === undefined || chain[1]?.publicKey.id === account ? chain : null;
  }

  #accountCertificate(account: AccountId): Certificate | null {
    for (const { device } of this.store.certificates.byAccount(account)) {
      const certificate = this.known(device)?.find((c) => c.publicKey.id === account);
      if (certificate) return certificate;
    }
    return null;
  }

  /** One look-up at a time for each device. */
  #lookUp(
    device: string,
    keys: InfoHash[],
    wanted: (leaf: Certificate) => boolean,
    account?: AccountId,
  ): Promise<Certificate[] | null> {
    const name = `${device}/${account ?? ""}`;
    const running = this.#lookups.get(name);
    if (running) return running;
    if (this.#lookups.size >= MAX_LOOKUPS) return Promise.resolve(null);
    const lookup = this.#ask(keys, wanted, account).finally(() => this.#lookups.delete(name));
    this.#lookups.set(name, lookup);
    return lookup;
  }

  #ask(
    keys: InfoHash[],
    wanted: (leaf: Certificate) => boolean,
    account?: AccountId,
  ): Promise<Certificate[] | null> {
    const { promise, resolve } = Promise.withResolvers<Certificate[] | null>();
    const onValue = (value: Value) => {
      const chain = value.data.length <= MAX_CERTIFICATE_VALUE ? readCertificates(value) : null;
      if (!chain || !wanted(chain[0])) return;
      try {
        const peer = checkChain(chain, { now: this.clock.now(), account });
        if (!this.#usable(peer.device)) this.#keep(peer);
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

function sameChain(a: readonly Certificate[], b: readonly Certificate[]): boolean {
  return a.length === b.length && a.every(({ der }, i) => equal(der, b[i].der));
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
