/** Reading DER (X.690), as much as certificates and revocation lists need: definite, shortest lengths and low tag numbers. */

import { type Bytes, hex } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";

/** The tags that occur in certificates. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element: its tag, its content, and the whole of it with its header. Both are views of the bytes read. */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly raw: Uint8Array;
}

function refuse(what: string): never {
  throw new ProtocolError("der", what);
}

/** Reads the elements in a byte string, one after the other. */
export class DerReader {
  #at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** Is there nothing left? */
  get done(): boolean {
    return this.#at === this.bytes.length;
  }

  /** The tag of the next element, or `null` at the end. */
  get peek(): number | null {
    return this.done ? null : this.bytes[this.#at];
  }

  /**
   * The next element.
   * @param tag the tag it must have, if only one will do
   * @throws {ProtocolError} when there is none, or another one
   */
  next(tag?: number): Element {
    const start = this.#at;
    const found = this.#byte();
    if ((found & 0x1f) === 0x1f) refuse("a high tag number");
    if (tag !== undefined && found !== tag) refuse(`tag ${found} where ${tag} was expected`);
    const length = this.#length();
    if (length > this.bytes.length - this.#at) refuse("unexpected end");
    const content = this.bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return { tag: found, content, raw: this.bytes.subarray(start, this.#at) };
  }

  /** The next element if it has this tag, else `null`. @throws {ProtocolError} when it is damaged */
  optional(tag: number): Element | null {
    return this.peek === tag ? this.next(tag) : null;
  }

  /** A reader of what is inside the next element, which must have this tag. @throws {ProtocolError} */
  inside(tag: number): DerReader {
    return new DerReader(this.next(tag).content);
  }

  /** @throws {ProtocolError} when something is left */
  end(): void {
    if (!this.done) refuse("bytes after the last element");
  }

  #byte(): number {
    if (this.done) refuse("unexpected end");
    return this.bytes[this.#at++];
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count === 0 || count > 4) refuse("an indefinite or huge length");
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (count - 1)) refuse("a length that is not the shortest");
    return length;
  }
}

/** The one element that `bytes` hold. @throws {ProtocolError} on anything else */
export function readDer(bytes: Uint8Array, tag: number): DerReader {
  const reader = new DerReader(bytes);
  const inside = reader.inside(tag);
  reader.end();
  return inside;
}

/** The content of an INTEGER, checked to be the shortest two's complement form. @throws {ProtocolError} */
export function integerContent(element: Element): Uint8Array {
  const [first, second] = element.content;
  if (first === undefined) refuse("an empty integer");
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    refuse("an integer that is not the shortest");
  }
  return element.content;
}

/** The value of an INTEGER that must not be negative. @throws {ProtocolError} */
export function unsignedInteger(element: Element): bigint {
  const content = integerContent(element);
  if (content[0] >= 0x80) refuse("a negative integer");
  return BigInt(`0x${hex(content)}`);
}

/** The value of a BOOLEAN. @throws {ProtocolError} */
export function booleanValue(element: Element): boolean {
  const [value] = element.content;
  if (element.content.length !== 1 || (value !== 0 && value !== 0xff)) refuse("a damaged boolean");
  return value === 0xff;
}

/** The bytes of a BIT STRING that is a whole number of bytes. @throws {ProtocolError} */
export function bitStringBytes(element: Element): Uint8Array {
  if (element.content[0] !== 0) refuse("a bit string of broken bytes");
  return element.content.subarray(1);
}

/** An OBJECT IDENTIFIER in dotted form. @throws {ProtocolError} */
export function oidText(element: Element): string {
  const { content } = element;
  if (content.length === 0 || content.length > 32 || content[content.length - 1] >= 0x80) {
    refuse("a damaged identifier");
  }
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const [first, ...rest] = arcs;
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join(".");
}

/**
 * The time of a UTCTime or GeneralizedTime in the form of RFC 5280 4.1.2.5, in ms since 1970.
 * @throws {ProtocolError} on any other form, and on days that do not exist
 */
export function timeValue(element: Element): number {
  const text = String.fromCharCode(...element.content.subarray(0, 16));
  const digits = element.tag === Tag.utcTime
    ? /^\d{12}Z$/.test(text) && (text < "5" ? "20" : "19") + text
    : element.tag === Tag.generalizedTime && /^\d{14}Z$/.test(text) && text;
  if (!digits) refuse("a damaged time");
  const [, year, ...rest] = digits.match(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/) ?? refuse("a damaged time");
  const iso = `${year}-${rest[0]}-${rest[1]}T${rest[2]}:${rest[3]}:${rest[4]}.000Z`;
  const time = Date.parse(iso);
  if (Number.isNaN(time) || new Date(time).toISOString() !== iso) refuse("a time that does not exist");
  return time;
}

/** A copy that owns its buffer. */
export function copied(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}
