/** The recorded bytes of the field (tests/vectors/opendht and today/dht). */

import { fromHex } from "../../../core/base/bytes.ts";
import { PrivateKey } from "../../../core/identity/keys.ts";

const FOLDER = new URL("../../vectors/", import.meta.url);

/** One recorded value and what must be found in it. */
export interface ValueVector {
  name: string;
  dht_key: string;
  value_hex: string;
  id: string;
  type: number;
  utype: string;
  data_hex: string;
  seq?: number;
  to?: string;
  owner_key_id?: string;
  owner_long_key_id?: string;
  signed_bytes_sha256?: string;
  signature_hex?: string;
  encrypted_for?: string;
  plaintext_hex?: string;
}

/** One recorded datagram. */
export interface PacketVector {
  name: string;
  hex: string;
  decoded: unknown;
}

/** A key pair and the names computed from it. */
export interface KeyVector {
  private_pem: string;
  spki_der_hex: string;
  key_id: string;
  long_key_id: string;
  node_id: string;
  cert_key_2023: string;
  cert_key_today: string;
  inbox_key: string;
  peer_key_2023: string;
  peer_key_today: string;
}

export const values: ValueVector[] = readJson("opendht/values.json");
export const packets: PacketVector[] = readJson("opendht/packets.json");
export const keys: Record<string, KeyVector> = readJson("opendht/keys.json");

/** The bytes of the value vector of that name. */
export function valueBytes(name: string) {
  return fromHex(values.find((vector) => vector.name === name)?.value_hex ?? "");
}

/** The bytes of the packet vector of that name. */
export function packetBytes(name: string) {
  return fromHex(packets.find((vector) => vector.name === name)?.hex ?? "");
}

/** A private key of the vectors. */
export function privateKey(name: string): PrivateKey {
  return PrivateKey.fromPem(keys[name].private_pem);
}

/** A file of today's vectors. */
export function today(name: string) {
  return Deno.readFileSync(new URL(`today/dht/${name}`, FOLDER));
}

function readJson(name: string) {
  return JSON.parse(Deno.readTextFileSync(new URL(name, FOLDER)));
}
