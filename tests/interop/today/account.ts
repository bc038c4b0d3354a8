/** The account on the DHT: certificate, announcement, inbox, trust requests, presence (account.md 1.3, 4, 6, 7), as today's daemon does it. */

import { readAnnouncement } from "../../../core/account/announcement.ts";
import { inboxKey } from "../../../core/account/inbox.ts";
import {
  decodeTrustRequest,
  encodeTrustRequest,
  TRUST_REQUEST_TYPE,
  type TrustRequest,
} from "../../../core/account/trust_request.ts";
import { Emitter } from "../../../core/base/events.ts";
import { messageOf } from "../../../core/base/errors.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { certificateValue, longIdKey } from "../../../core/dht/certificate_value.ts";
import type { Dht } from "../../../core/dht/dht.ts";
import { unpackValue, type Value } from "../../../core/dht/value.ts";
import { decryptValue, encryptValue } from "../../../core/dht/value_crypto.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import type { AccountId } from "../../../core/identity/ids.ts";
import type { PublicKey } from "../../../core/identity/keys.ts";
import type { Chains } from "./chains.ts";

const FIND_TIMEOUT = 10_000; // ms

export type AccountEvents = { request: { from: AccountId; request: TrustRequest } };

export class Account extends Emitter<AccountEvents> {
  /** Resolves when the device is announced and its certificate published. */
  announced: Promise<unknown> = Promise.resolve();
  readonly #seen = new Set<string>();

  constructor(
    private readonly dht: Dht,
    private readonly identity: Identity,
    private readonly chains: Chains,
    private readonly log: (message: string) => void,
  ) {
    super();
  }

  start(): void {
    const { dht, identity } = this;
    const announcement = { ...unpackValue(identity.announcement), id: systemRandom.id(), priority: 1 };
    this.announced = Promise.all([
      dht.keep(longIdKey(identity.device), certificateValue(identity.chainPem)).done,
      dht.keep(identity.account, announcement).done,
    ]);
    dht.listen(inboxKey(identity.shortId), (value, expired) => {
      if (!expired) this.#onInbox(value).catch((error) => this.log(`inbox: ${messageOf(error)}`));
    });
  }

  /** Sends a trust request or a confirmation to each device; a device is told once for each call. */
  async send(devices: PublicKey[], request: TrustRequest): Promise<void> {
    const plain: Value = { id: systemRandom.id(), type: TRUST_REQUEST_TYPE, data: encodeTrustRequest(request) };
    await Promise.all(devices.map(async (device) => {
      await this.dht.put(inboxKey(device.id), await encryptValue(plain, this.identity.key, device));
    }));
  }

  /** The announced devices of an account whose certificates can be had. */
  async devices(account: AccountId): Promise<PublicKey[]> {
    const values = await this.dht.get(account, { timeout: FIND_TIMEOUT });
    const keys = await Promise.all(values.map((value) => this.#device(account, value)));
    return [...new Map(keys.flatMap((key) => key ? [[key.longId, key]] : [])).values()];
  }

  /** Tells each device of the account that is there or appears; the result ends it. */
  watch(account: AccountId, appeared: (device: PublicKey) => void): () => void {
    const { stop } = this.dht.listen(account, (value, expired) => {
      if (expired) return;
      this.#device(account, value)
        .then((device) => device && appeared(device))
        .catch((error) => this.log(`presence of ${account}: ${messageOf(error)}`));
    });
    return stop;
  }

  async #device(account: AccountId, value: Value): Promise<PublicKey | null> {
    const announcement = await readAnnouncement(account, value);
    if (!announcement?.key || announcement.key.longId === this.identity.device) return null;
    const peer = await this.chains.peer(announcement.key.longId);
    return peer?.account === account ? announcement.key : null;
  }

  async #onInbox(value: Value): Promise<void> {
    const plain = await decryptValue(value, this.identity.key);
    if (!plain?.owner || plain.type !== TRUST_REQUEST_TYPE || this.#seen.has(`${value.id}`)) return;
    this.#seen.add(`${value.id}`);
    const peer = await this.chains.peer(plain.owner.longId);
    if (!peer) return this.log(`a trust request of ${plain.owner.longId} is lost: its certificate is nowhere`);
    this.emit("request", { from: peer.account, request: decodeTrustRequest(plain.data) });
  }
}
