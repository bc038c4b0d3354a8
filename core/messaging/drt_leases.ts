/**
 * The mobile devices of one conversation (swarm-sync.md 5.5): who has proven with a signed lease that it sleeps and wants to be woken. Leases come from
 * the devices themselves and from others who pass them on; one is believed only after its signature and the chain of its device were checked.
 */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Certificate } from "../identity/certificate.ts";
import { checkChain } from "../identity/chain.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { ConversationId } from "./channel_name.ts";
import {
  DRT_CERT_TIMEOUT,
  DRT_MAX_CERT,
  DRT_MAX_CERT_IDS,
  DRT_MAX_CERTS,
  DRT_MAX_LEASES,
  DRT_MAX_PENDING_LEASES,
  LEASE_LONGEST,
  LEASE_SKEW,
  LEASE_VERSION,
} from "./constants.ts";
import { type Lease, leasePayload, type MobileNodeInfo } from "./drt_message.ts";

const log = getLogger(["kituo", "messaging"]);

/** Where leases are kept over a restart. */
export interface LeaseShelf {
  all(): Lease[];
  put(lease: Lease): void;
  delete(device: DeviceId): void;
}

export interface LeaseOptions {
  conversation: ConversationId;
  clock: Clock;
  /** May this device of the account be here (5.4)? */
  isMember(account: AccountId, device: DeviceId): boolean;
  certificates: {
    /** The chain of a device if we have it, leaf first. */
    known(device: DeviceId): Certificate[] | null;
    /** The chain of an account's own certificate, if we have it. */
    issuer(account: AccountId): Certificate[] | null;
    /** The chain of a device, from the DHT. */
    find(device: DeviceId, account: AccountId): Promise<Certificate[] | null>;
  };
  shelf: LeaseShelf;
  /** A lease was found good: the device is mobile from now on. */
  onMobile(device: DeviceId): void;
}

/** Somebody who told of leases, and may be asked for the certificates that they need. */
export interface LeaseSource {
  readonly device: DeviceId;
  /** Its chain, as TLS showed it. */
  readonly chain: Certificate[];
  askCertificates(devices: DeviceId[]): void;
}

/** A question for certificates that is not answered yet. */
interface Question {
  leases: Map<DeviceId, Lease>;
  cancel(): void;
}

export class LeaseBook {
  #leases = new Map<DeviceId, Lease>();
  /** Leases that are being checked, by device. */
  #pending = new Set<DeviceId>();
  /** By the device that was asked. */
  #questions = new Map<DeviceId, Question>();
  /** Those whose certificates others may ask us for: we told them of these. */
  #announced = new Set<DeviceId>();
  #stopped = false;

  constructor(private readonly options: LeaseOptions) {
    for (const lease of options.shelf.all()) {
      if (this.#isPlausible(lease)) this.#leases.set(lease.device, lease);
      else options.shelf.delete(lease.device);
    }
  }

  /** Devices with a lease that holds now. */
  devices(): DeviceId[] {
    return [...this.#leases.values()].filter((lease) => this.#isPlausible(lease)).map(({ device }) => device);
  }

  /** How many leases are being checked, or wait for certificates. */
  get checking(): number {
    return this.#pending.size;
  }

  isMobile(device: DeviceId): boolean {
    const lease = this.#leases.get(device);
    return lease !== undefined && this.#isPlausible(lease);
  }

  /** What to tell others of these mobile devices. They may ask for their certificates from now on. */
  announce(devices: readonly DeviceId[]): MobileNodeInfo[] {
    return devices.flatMap((id) => {
      const lease = this.#leases.get(id);
      if (!lease) return [];
      this.#announced.add(id);
      return [{ id, lease }];
    });
  }

  /** Leases that a peer told of, its own or others'. The good ones are kept; those whose device is unknown are asked about. */
  offer(infos: readonly MobileNodeInfo[], from: LeaseSource): void {
    const unknown = new Map<DeviceId, Lease>();
    for (const { id, lease } of infos) {
      if (!lease || lease.device !== id || !this.#isNews(lease)) continue;
      if (this.#pending.size >= DRT_MAX_PENDING_LEASES) break;
      const chain = id === from.device ? from.chain : this.options.certificates.known(id);
      this.#pending.add(id);
      if (chain) this.#check(lease, chain);
      else unknown.set(id, lease);
    }
    if (unknown.size) this.#ask(unknown, from);
  }

  /** The answer of a peer; what nobody asked for is ignored. */
  answered(certificates: readonly Bytes[], from: DeviceId): void {
    const question = this.#questions.get(from);
    if (!question) return;
    for (const der of certificates) {
      try {
        const leaf = Certificate.fromDer(der);
        const lease = question.leases.get(leaf.publicKey.longId);
        const issuer = lease && this.options.certificates.issuer(lease.issuer);
        if (!lease || !issuer) continue;
        question.leases.delete(lease.device);
        this.#check(lease, [leaf, ...issuer]);
      } catch (error) {
        log.debug("a bad certificate for a lease: {error}", { error: messageOf(error) });
      }
    }
    this.#giveUp(from, question);
  }

  /** The certificates that a peer asks for: of devices that we told of, within the bounds of an answer. */
  certificates(devices: readonly DeviceId[]): Bytes[] {
    let total = 0;
    const out: Bytes[] = [];
    for (const device of devices.slice(0, DRT_MAX_CERT_IDS)) {
      const der = this.#announced.has(device) && this.isMobile(device)
        ? this.options.certificates.known(device)?.[0].der
        : undefined;
      if (!der || der.length > DRT_MAX_CERT || total + der.length > DRT_MAX_CERTS) continue;
      total += der.length;
      out.push(der);
    }
    return out;
  }

  /** The device itself says that it is not mobile, or it is no member's any more. */
  drop(device: DeviceId): void {
    if (!this.#leases.delete(device)) return;
    this.#announced.delete(device);
    this.options.shelf.delete(device);
  }

  /** Drops the leases that have run out, and those of devices that may not be here any more. */
  prune(): void {
    for (const lease of [...this.#leases.values()]) if (!this.#isPlausible(lease)) this.drop(lease.device);
  }

  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#questions.values()) cancel();
    this.#questions.clear();
  }

  #isNews(lease: Lease): boolean {
    if (this.#pending.has(lease.device) || !this.#isPlausible(lease)) return false;
    return lease.expiresAt > (this.#leases.get(lease.device)?.expiresAt ?? 0);
  }

  /** All checks of 5.5 that need no certificate. */
  #isPlausible({ formatVersion, conversation, issuer, device, issuedAt, expiresAt, signature }: Lease): boolean {
    const now = this.options.clock.now() / 1000;
    const lasts = expiresAt - issuedAt;
    return formatVersion === LEASE_VERSION && conversation === this.options.conversation && signature.length > 0 &&
      issuedAt <= now + LEASE_SKEW && expiresAt > now && lasts > 0 && lasts <= LEASE_LONGEST &&
      this.options.isMember(issuer, device);
  }

  /** The rest of the checks; then the lease is kept, unless there is a later one. */
  async #check(lease: Lease, chain: Certificate[]): Promise<void> {
    try {
      checkChain(chain, { now: this.options.clock.now(), account: lease.issuer, device: lease.device });
      const inTime = lease.expiresAt * 1000 <= chain[0].notAfter;
      if (!inTime || !await chain[0].publicKey.verify(leasePayload(lease), lease.signature)) return;
      if (!this.#stopped && this.#isPlausible(lease)) this.#keep(lease);
    } catch (error) {
      log.debug("a lease of {device} is refused: {error}", { device: lease.device, error: messageOf(error) });
    } finally {
      this.#pending.delete(lease.device);
    }
  }

  #keep(lease: Lease): void {
    if (!this.#leases.has(lease.device) && this.#leases.size >= DRT_MAX_LEASES) this.prune();
    if (!this.#leases.has(lease.device) && this.#leases.size >= DRT_MAX_LEASES) return;
    this.#leases.set(lease.device, lease);
    this.options.shelf.put(lease);
    this.options.onMobile(lease.device);
  }

  /** Asks the one who told, if it is not being asked already; what it does not know is looked for on the DHT. */
  #ask(leases: Map<DeviceId, Lease>, from: LeaseSource): void {
    if (this.#questions.has(from.device)) return this.#look(leases);
    const asked = new Map([...leases].slice(0, DRT_MAX_CERT_IDS));
    this.#look(new Map([...leases].slice(DRT_MAX_CERT_IDS)));
    const question: Question = {
      leases: asked,
      cancel: this.options.clock.after(DRT_CERT_TIMEOUT, () => this.#giveUp(from.device, question)),
    };
    this.#questions.set(from.device, question);
    from.askCertificates([...asked.keys()]);
  }

  #giveUp(from: DeviceId, question: Question): void {
    question.cancel();
    this.#questions.delete(from);
    this.#look(question.leases);
  }

  #look(leases: Map<DeviceId, Lease>): void {
    for (const lease of leases.values()) {
      this.options.certificates.find(lease.device, lease.issuer).then(
        (chain) => this.#check(lease, chain ?? []),
        (error) => {
          this.#pending.delete(lease.device);
          log.debug("no certificate for a lease: {error}", { error: messageOf(error) });
        },
      );
    }
  }
}
