/** The D-Bus wire format, little endian, as far as jamid's interfaces use it (D-Bus specification, "Type System" and "Marshaling"). */

/** What a D-Bus value becomes: `x` and `t` are bigint, `ay` is bytes, `a{..}` an object (keys as text), `a.` and structs arrays. */
export type DBusValue = string | number | bigint | boolean | Uint8Array | DBusValue[] | { [key: string]: DBusValue };

/** A value for a `v` argument says its own signature. */
export class Variant {
  constructor(readonly signature: string, readonly value: DBusArgument) {}
}

/** What may be given as an argument: also variants, anywhere. */
export type DBusArgument =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | Variant
  | DBusArgument[]
  | { [key: string]: DBusArgument };

/** Bytes or arguments that do not fit their signature. */
export class DBusFormatError extends Error {
  override name = "DBusFormatError";
}

const ALIGNMENT: Record<string, number> = {
  y: 1,
  b: 4,
  n: 2,
  q: 2,
  i: 4,
  u: 4,
  x: 8,
  t: 8,
  d: 8,
  s: 4,
  o: 4,
  g: 1,
  v: 1,
  a: 4,
  "(": 8,
  "{": 8,
};

/** Splits a signature into its complete types: `sa{ss}u` -> `s`, `a{ss}`, `u`. */
export function completeTypes(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length;) {
    const end = endOfType(signature, at);
    types.push(signature.slice(at, end));
    at = end;
  }
  return types;
}

function endOfType(signature: string, at: number): number {
  const code = signature[at];
  if (code === "a") return endOfType(signature, at + 1);
  if (code !== "(" && code !== "{") return at + 1;
  let depth = 0;
  for (let i = at; i < signature.length; i++) {
    if ("({".includes(signature[i])) depth++;
    if (")}".includes(signature[i]) && --depth === 0) return i + 1;
  }
  throw new DBusFormatError(`unbalanced signature ${signature}`);
}

/** Marshals values one after the other; alignment counts from the first byte. */
export class WireWriter {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  /** All that was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  align(to: number): void {
    this.#reserve(to);
    while (this.#length % to) this.#buffer[this.#length++] = 0;
  }

  /** Appends bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends one value of the complete type `type`. @throws {DBusFormatError} when it does not fit */
  write(type: string, value: DBusArgument): void {
    this.align(ALIGNMENT[type[0]] ?? 1);
    this.#reserve(16);
    switch (type[0]) {
      case "y":
        return this.#fixed(1, () => this.#view.setUint8(this.#length, Number(value)));
      case "b":
        return this.#fixed(4, () => this.#view.setUint32(this.#length, value ? 1 : 0, true));
      case "n":
        return this.#fixed(2, () => this.#view.setInt16(this.#length, Number(value), true));
      case "q":
        return this.#fixed(2, () => this.#view.setUint16(this.#length, Number(value), true));
      case "i":
        return this.#fixed(4, () => this.#view.setInt32(this.#length, Number(value), true));
      case "u":
        return this.#fixed(4, () => this.#view.setUint32(this.#length, Number(value), true));
      case "x":
      case "t":
        return this.#fixed(8, () => this.#view.setBigUint64(this.#length, BigInt(wholeNumber(type, value)), true));
      case "d":
        return this.#fixed(8, () => this.#view.setFloat64(this.#length, Number(value), true));
      case "s":
      case "o":
      case "g":
        return this.#text(type, value);
      case "v":
        if (!(value instanceof Variant)) throw new DBusFormatError("v wants a Variant");
        this.write("g", value.signature);
        return this.write(value.signature, value.value);
      case "a":
        return this.#array(type.slice(1), value);
      case "(":
        if (!Array.isArray(value)) throw new DBusFormatError(`${type} wants an array`);
        return completeTypes(type.slice(1, -1)).forEach((member, i) => this.write(member, value[i]));
      default:
        throw new DBusFormatError(`unknown type ${type}`);
    }
  }

  #fixed(size: number, put: () => void): void {
    put();
    this.#length += size;
  }

  #text(type: string, value: DBusArgument): void {
    if (typeof value !== "string") throw new DBusFormatError(`${type} wants a string, not ${typeof value}`);
    const bytes = new TextEncoder().encode(value);
    this.write(type === "g" ? "y" : "u", bytes.length);
    this.raw(bytes);
    this.raw(Uint8Array.of(0));
  }

  #array(element: string, value: DBusArgument): void {
    const lengthAt = this.#length;
    this.write("u", 0);
    this.align(ALIGNMENT[element[0]] ?? 1);
    const start = this.#length;
    if (value instanceof Uint8Array && element === "y") this.raw(value);
    else if (element[0] === "{") this.#entries(element, value);
    else if (Array.isArray(value)) { for (const item of value) this.write(element, item); }
    else throw new DBusFormatError(`a${element} wants an array`);
    this.#view.setUint32(lengthAt, this.#length - start, true);
  }

  #entries(element: string, value: DBusArgument): void {
    if (typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array || value instanceof Variant) {
      throw new DBusFormatError(`a${element} wants an object`);
    }
    const [keyType, valueType] = completeTypes(element.slice(1, -1));
    for (const [key, item] of Object.entries(value)) {
      this.align(8);
      this.write(keyType, "sog".includes(keyType) ? key : Number(key));
      this.write(valueType, item);
    }
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const bigger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + more));
    bigger.set(this.#buffer);
    this.#buffer = bigger;
    this.#view = new DataView(bigger.buffer);
  }
}

function wholeNumber(type: string, value: DBusArgument): bigint | number {
  if (typeof value === "bigint" || typeof value === "number") return value;
  throw new DBusFormatError(`${type} wants a number`);
}

/** Reads values one after the other; alignment counts from the first byte of `bytes`. */
export class WireReader {
  #view: DataView;

  constructor(private readonly bytes: Uint8Array, public offset = 0) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  align(to: number): void {
    this.offset = Math.ceil(this.offset / to) * to;
  }

  /** All values of a signature. */
  all(signature: string): DBusValue[] {
    return completeTypes(signature).map((type) => this.read(type));
  }

  /** The next value, of the complete type `type`. @throws {DBusFormatError | RangeError} when it is not there */
  read(type: string): DBusValue {
    this.align(ALIGNMENT[type[0]] ?? 1);
    switch (type[0]) {
      case "y":
        return this.#view.getUint8(this.#advance(1));
      case "b":
        return this.#view.getUint32(this.#advance(4), true) !== 0;
      case "n":
        return this.#view.getInt16(this.#advance(2), true);
      case "q":
        return this.#view.getUint16(this.#advance(2), true);
      case "i":
        return this.#view.getInt32(this.#advance(4), true);
      case "u":
        return this.uint32();
      case "x":
        return this.#view.getBigInt64(this.#advance(8), true);
      case "t":
        return this.#view.getBigUint64(this.#advance(8), true);
      case "d":
        return this.#view.getFloat64(this.#advance(8), true);
      case "s":
      case "o":
        return this.#text(this.uint32());
      case "g":
        return this.signature();
      case "v":
        return this.read(this.signature());
      case "a":
        return this.#array(type.slice(1));
      case "(":
        return this.all(type.slice(1, -1));
      default:
        throw new DBusFormatError(`unknown type ${type}`);
    }
  }

  uint32(): number {
    this.align(4);
    return this.#view.getUint32(this.#advance(4), true);
  }

  signature(): string {
    return this.#text(this.#view.getUint8(this.#advance(1)));
  }

  #text(length: number): string {
    const start = this.#advance(length + 1);
    return new TextDecoder().decode(this.bytes.subarray(start, start + length));
  }

  #array(element: string): DBusValue {
    const length = this.uint32();
    this.align(ALIGNMENT[element[0]] ?? 1);
    const end = this.offset + length;
    if (element === "y") return this.bytes.slice(this.#advance(length), end);
    if (element[0] !== "{") {
      const items: DBusValue[] = [];
      while (this.offset < end) items.push(this.read(element));
      return items;
    }
    const [keyType, valueType] = completeTypes(element.slice(1, -1));
    const entries: [string, DBusValue][] = [];
    while (this.offset < end) {
      this.align(8);
      const key = String(this.read(keyType));
      entries.push([key, this.read(valueType)]);
    }
    return Object.fromEntries(entries);
  }

  /** Moves on by `size`; returns where it was. */
  #advance(size: number): number {
    const at = this.offset;
    if (at + size > this.bytes.length) throw new DBusFormatError("the message ends too early");
    this.offset += size;
    return at;
  }
}
