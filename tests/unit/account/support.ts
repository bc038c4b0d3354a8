/** People, a DHT table and the account room of one of them, for the tests of the room. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Bytes } from "../../../core/base/bytes.ts";
import { encode } from "../../../core/base/msgpack.ts";
import { seededRandom } from "../../../core/base/random.ts";
import { CertificateBook } from "../../../core/account/certificates.ts";
import { inboxKey } from "../../../core/account/inbox.ts";
import { encodeTrustRequest, TRUST_REQUEST_TYPE, type TrustRequest } from "../../../core/account/trust_request.ts";
import { certificateKeys, certificateValue } from "../../../core/dht/certificate_value.ts";
import { encryptValue } from "../../../core/dht/value_crypto.ts";
import { unpackValue, type Value } from "../../../core/dht/value.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";
import type { Store } from "../../../core/store/store.ts";
import { openStore } from "../../../core/store/store.ts";
import { DhtTable } from "../../support/dht_table.ts";
import { secondDevice, testIdentity } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** When everything in these tests begins; the vectors' certificates are good then. */
export const NOW = Date.parse("2026-11-21T12:00:00Z");

export const [alice, bob, carol] = await Promise.all([testIdentity(NOW), testIdentity(NOW), testIdentity(NOW)]);
export const bobsPhone = await secondDevice(bob, NOW);

/** 40 hex digits that say which conversation they are. */
export function conversation(n: number): string {
  return `c0${n.toString(16).padStart(38, "0")}`;
}

export interface Scene {
  clock: VirtualClock;
  table: DhtTable;
  store: Store;
  certificates: CertificateBook;
  random: ReturnType<typeof seededRandom>;
}

/** Runs `test` with a DHT of its own and the store of one node on it. */
export async function withScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const clock = new VirtualClock(NOW);
  const table = new DhtTable(clock);
  const folder = await Deno.makeTempDir({ prefix: "kituo-account-" });
  const store = openStore(join(folder, "kituo.db"));
  try {
    await test({
      clock,
      table,
      store,
      certificates: new CertificateBook(table, store, clock),
      random: seededRandom(1),
    });
  } finally {
    table.close();
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Publishes the chain of a device as its node does. */
export function publishChain(table: DhtTable, { key, chainPem }: Identity): void {
  for (const place of certificateKeys(key.publicKey)) table.keep(place, certificateValue(chainPem));
}

/** Puts an announcement at the account of a device. */
export function announce(table: DhtTable, identity: Identity, id = 0n): void {
  table.put(identity.account, { ...unpackValue(identity.announcement), id });
}

/** A trust request as it is put: encrypted for `to`. */
export async function trustRequest(from: Identity, to: Identity, request: Partial<TrustRequest>): Promise<Value> {
  const data = encodeTrustRequest({
    conversation: conversation(1),
    payload: new Uint8Array(),
    confirm: false,
    ...request,
  });
  return await encryptValue({ id: 1n, type: TRUST_REQUEST_TYPE, data }, from.key, to.key.publicKey);
}

/** Puts a trust request into the inbox of a device. */
export async function ask(
  table: DhtTable,
  from: Identity,
  to: Identity,
  request: Partial<TrustRequest>,
): Promise<void> {
  await table.put(inboxKey(to.shortId), { ...await trustRequest(from, to, request), id: 0n });
}

/** An unsigned value of type 0 with these bytes, such as a revocation list is. */
export function plainValue(bytes: Bytes, id = 0n): Value {
  return { id, type: 0, data: encode(bytes) };
}

/** A file of the vectors. */
export function vector(name: string): Bytes {
  return Deno.readFileSync(fileURLToPath(new URL(`../../vectors/${name}`, import.meta.url)));
}

/** A text file of the vectors. */
export function textVector(name: string): string {
  return new TextDecoder().decode(vector(name));
}

/** A private key of the vectors. */
export function keyVector(name: string): PrivateKey {
  return PrivateKey.fromPem(textVector(name));
}
