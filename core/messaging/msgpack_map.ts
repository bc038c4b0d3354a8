/** Reading msgpack maps with missing keys and binary map keys, which the peers' structures have. */

import { type Bytes, fromHex, hex } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { asBytes, asMap, asText, asUint, type Decoded, type Encodable } from "../base/msgpack.ts";

/** A msgpack map whose values are read by name; a missing value, and nil, count as the default. */
export class Fields {
  #map: Map<Decoded, Decoded>;

  /** @throws {ProtocolError} when the value is not a map */
  constructor(value: Decoded | undefined, private readonly what: string) {
    this.#map = asMap(value ?? new Map(), what);
  }

  /** The value as it is; `null` when it is missing. */
  raw(key: string): Decoded {
    return this.#map.get(key) ?? null;
  }

  /** @throws {ProtocolError} when it is not a text */
  text(key: string, missing = ""): string {
    return asText(this.#map.get(key) ?? missing, this.#name(key));
  }

  /** @throws {ProtocolError} when it is not a boolean */
  flag(key: string): boolean {
    const value = this.#map.get(key) ?? false;
    if (typeof value !== "boolean") throw new ProtocolError("msgpack", `${this.#name(key)} is not a boolean`);
    return value;
  }

  /** @throws {ProtocolError} when it is not a whole number from 0 up */
  uint(key: string, max?: number): number {
    return asUint(this.#map.get(key) ?? 0, this.#name(key), max);
  }

  /** @throws {ProtocolError} when it is not bytes */
  bytes(key: string): Bytes {
    return asBytes(this.#map.get(key) ?? new Uint8Array(0), this.#name(key));
  }

  /** A list; empty when it is missing. @throws {ProtocolError} when it is not an array, or longer than `max` */
  list(key: string, max: number): Decoded[] {
    const value = this.#map.get(key) ?? [];
    if (!Array.isArray(value)) throw new ProtocolError("msgpack", `${this.#name(key)} is not an array`);
    if (value.length > max) throw new ProtocolError("msgpack", `${this.#name(key)} has more than ${max} entries`);
    return value;
  }

  /** The entries of a map; none when it is missing. @throws {ProtocolError} when it is not a map */
  entries(key: string): [Decoded, Decoded][] {
    return entriesOf(this.#map.get(key), this.#name(key));
  }

  /** Is there a value that is not nil? */
  has(key: string): boolean {
    return this.raw(key) !== null;
  }

  #name(key: string): string {
    return `${this.what}.${key}`;
  }
}

/** The entries of a map; none when it is missing or nil. @throws {ProtocolError} when it is not a map */
export function entriesOf(value: Decoded | undefined, what: string): [Decoded, Decoded][] {
  return [...asMap(value ?? new Map(), what)];
}

/**
 * An id that is sent as bytes, in hex.
 * @throws {ProtocolError} when it is not `length` bytes
 */
export function hexId(value: Decoded | undefined, length: number, what: string): string {
  const bytes = asBytes(value, what);
  if (bytes.length !== length) throw new ProtocolError("msgpack", `${what} is not ${length} bytes`);
  return hex(bytes);
}

/** A map with ids in hex as one with binary keys. */
export function withBinaryKeys<T>(
  map: ReadonlyMap<string, T>,
  encode: (value: T) => Encodable,
): Map<Encodable, Encodable> {
  return new Map([...map].map(([id, value]) => [fromHex(id), encode(value)]));
}
