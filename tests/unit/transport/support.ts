/** Two or three devices in one process: identities, a signalling table instead of the DHT, managers on loopback. */

import { concat } from "../../../core/base/bytes.ts";
import { systemClock } from "../../../core/base/clock.ts";
import { systemRandom } from "../../../core/base/random.ts";
import type { Value } from "../../../core/dht/value.ts";
import { packValue, unpackValue } from "../../../core/dht/value.ts";
import { type Certificate, chainToPem } from "../../../core/identity/certificate.ts";
import { issueCertificate } from "../../../core/identity/issue.ts";
import { PrivateKey, type PublicKey } from "../../../core/identity/keys.ts";
import type { Channel, Connection } from "../../../core/transport/channel.ts";
import { ConnectionManager, type ConnectionManagerOptions } from "../../../core/transport/connection_manager.ts";
import type { SignallingDht } from "../../../core/transport/signalling.ts";

/** A device for tests: keys of 2048 bits, which are made ten times as fast. */
export interface TestDevice {
  account: string;
  device: string;
  key: PrivateKey;
  chain: Certificate[];
  chainPem: string;
}

export async function newKey(): Promise<PrivateKey> {
  const { privateKey } = await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-512" },
    true,
    ["sign", "verify"],
  );
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  return PrivateKey.fromPem(`-----BEGIN PRIVATE KEY-----\n${der.toBase64()}\n-----END PRIVATE KEY-----\n`);
}

export async function newTestDevice(): Promise<TestDevice> {
  const now = Date.now();
  const [caKey, accountKey, key] = await Promise.all([newKey(), newKey(), newKey()]);
  const ca = await issueCertificate({ kind: "ca", subject: caKey.publicKey, issuer: null, signer: caKey, now });
  const accountRequest = { kind: "account", subject: accountKey.publicKey, issuer: ca, signer: caKey, now } as const;
  const account = await issueCertificate(accountRequest);
  const leaf = await issueCertificate({
    kind: "device",
    subject: key.publicKey,
    issuer: account,
    signer: accountKey,
    now,
  });
  const chain = [leaf, account, ca];
  const { id, longId } = { id: accountKey.publicKey.id, longId: key.publicKey.longId };
  return { account: id, device: longId, key, chain, chainPem: chainToPem(chain) };
}

let devices: Promise<[TestDevice, TestDevice, TestDevice]> | null = null;

/** The same three devices for all tests of a file. */
export function testDevices(): Promise<[TestDevice, TestDevice, TestDevice]> {
  return devices ??= Promise.all([newTestDevice(), newTestDevice(), newTestDevice()]);
}

/** What the DHT does for signalling: values at keys, given to listeners, old ones too. */
export class SignallingTable implements SignallingDht {
  readonly puts: { key: string; value: Value }[] = [];
  #listeners: { key: string; on: (value: Value, expired: boolean) => void }[] = [];
  /** Puts for which this holds are kept back until `release`. */
  hold: ((value: { key: string; value: Value }) => boolean) | null = null;
  #held: { key: string; value: Value }[] = [];

  listen(key: string, on: (value: Value, expired: boolean) => void) {
    const listener = { key, on };
    this.#listeners.push(listener);
    for (const put of this.puts.filter((p) => p.key === key)) queueMicrotask(() => on(put.value, false));
    return { stop: () => void (this.#listeners = this.#listeners.filter((l) => l !== listener)) };
  }

  put(key: string, value: Value): Promise<unknown> {
    const put = { key, value: unpackValue(packValue(value)) };
    if (this.hold?.(put)) this.#held.push(put);
    else this.#deliver(put);
    return Promise.resolve();
  }

  /** How many puts wait. */
  get held(): number {
    return this.#held.length;
  }

  release(): void {
    this.hold = null;
    for (const put of this.#held.splice(0)) this.#deliver(put);
  }

  #deliver(put: { key: string; value: Value }): void {
    this.puts.push(put);
    for (const { key, on } of this.#listeners) if (key === put.key) queueMicrotask(() => on(put.value, false));
  }
}

/** Sends back all that comes on a channel, and ends it when the peer does. */
export async function echo(channel: Channel): Promise<void> {
  const writer = channel.writable.getWriter();
  try {
    for await (const chunk of channel.readable) await writer.write(chunk);
  } catch {
    // The connection ended while something was being sent back.
  }
}

/** A manager with test defaults: accepts everybody, serves `echo`, declines all else. */
export function managerFor(
  device: TestDevice,
  dht: SignallingDht,
  others: TestDevice[],
  changes: Partial<ConnectionManagerOptions> = {},
): ConnectionManager {
  const seen = new Set<bigint>();
  return new ConnectionManager({
    identity: device,
    dht,
    clock: systemClock,
    random: systemRandom,
    port: 0,
    addresses: () => ["127.0.0.1"],
    publicAddresses: () => [],
    certificates: {
      byKey: (key: PublicKey) => Promise.resolve(others.find((o) => o.device === key.longId)?.chain ?? null),
    },
    seen: { has: (id) => seen.has(id), add: (id) => void seen.add(id) },
    allow: () => true,
    accept: (_connection, name) => name.startsWith("echo") ? (channel) => void echo(channel) : null,
    revocations: () => [],
    ...changes,
  });
}

/** Reads until `size` bytes have come, or the stream ends. */
export async function readBytes(channel: Channel, size: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const reader = channel.readable.getReader();
  for (let n = 0; n < size;) {
    const { value, done } = await reader.read();
    if (done) break;
    parts.push(value);
    n += value.length;
  }
  reader.releaseLock();
  return concat(...parts);
}

/** The next connection of a manager. */
export function nextConnection(manager: ConnectionManager): Promise<Connection> {
  return manager.once("connection");
}
