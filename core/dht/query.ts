/** Queries: which values, and which fields of them (opendht.md 2.6). */

import { hex, owned, text, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { asMap, asUint, asUint64, type Decoded, type Encodable } from "../base/msgpack.ts";
import { ZERO_HASH } from "./info_hash.ts";
import { blob, readHash, type Value } from "./value.ts";

/** The numbers of the fields. */
export const Field = { id: 1, type: 2, owner: 3, seq: 4, userType: 5 } as const;
/** One of the numbers. */
export type FieldNumber = typeof Field[keyof typeof Field];

/** All conditions that are present must hold. Type, owner and user type of encrypted values cannot be seen. */
export interface Where {
  readonly id?: bigint;
  readonly type?: number;
  /** Key id, 40 hex digits. */
  readonly owner?: string;
  readonly userType?: string;
}

/** `select` empty: whole values; otherwise these fields of each. */
export interface Query {
  readonly select: readonly FieldNumber[];
  readonly where: Where;
}

/** The fields of one value; absent is what was not selected. */
export interface FieldRow {
  readonly id?: bigint;
  readonly type?: number;
  /** What the peer wrote about the owner: key id or whole key (2.6). */
  readonly owner?: string;
  readonly seq?: number;
  readonly userType?: string;
}

/** Selected fields of several values. */
export interface FieldTable {
  readonly fields: readonly FieldNumber[];
  readonly rows: readonly FieldRow[];
}

/** Whole values, all of them. */
export const EVERYTHING: Query = { select: [], where: {} };

/** Does the value fulfil the conditions? */
export function matches(value: Value, where: Where): boolean {
  if (where.id !== undefined && value.id !== where.id) return false;
  if (where.type !== undefined && value.type !== where.type) return false;
  if (where.owner !== undefined && (value.owner?.id ?? ZERO_HASH) !== where.owner) return false;
  return where.userType === undefined || (value.userType ?? "") === where.userType;
}

/** The selected fields of values. */
export function selectFields(values: Iterable<Value>, fields: readonly FieldNumber[]): FieldTable {
  const sorted = [...new Set(fields)].sort((a, b) => a - b);
  const rows: FieldRow[] = [];
  for (const value of values) {
    const row: FieldRow = {
      id: value.id,
      type: value.type,
      owner: value.owner?.id ?? ZERO_HASH,
      seq: value.seq ?? 0,
      userType: value.userType ?? "",
    };
    rows.push(pick(row, sorted));
  }
  return { fields: sorted, rows };
}

function pick(row: FieldRow, fields: readonly FieldNumber[]): FieldRow {
  return {
    ...(fields.includes(Field.id) ? { id: row.id } : {}),
    ...(fields.includes(Field.type) ? { type: row.type } : {}),
    ...(fields.includes(Field.owner) ? { owner: row.owner } : {}),
    ...(fields.includes(Field.seq) ? { seq: row.seq } : {}),
    ...(fields.includes(Field.userType) ? { userType: row.userType } : {}),
  };
}

/** The query as it stands in a packet. */
export function queryFields(query: Query): Encodable {
  const { id, type, owner, userType } = query.where;
  const conditions: [FieldNumber, Encodable | undefined][] = [
    [Field.id, id],
    [Field.type, type],
    [Field.owner, owner === undefined ? undefined : owned(Uint8Array.fromHex(owner))],
    [Field.userType, userType === undefined ? undefined : utf8(userType)],
  ];
  return {
    s: query.select,
    w: conditions.filter(([, v]) => v !== undefined).map(([f, v]) => ({ f, v })),
  };
}

/**
 * A query from a packet; of several conditions on one field the last one counts.
 * @throws {ProtocolError} also when `s` or `w` is missing, and for a condition on `seq` (2.6)
 */
export function readQuery(decoded: Decoded): Query {
  const map = asMap(decoded, "query");
  const where: { -readonly [K in keyof Where]: Where[K] } = {};
  for (const item of asArray(map.get("w"), "where")) {
    const condition = asMap(item, "condition");
    const v = condition.get("v");
    switch (asUint(condition.get("f"), "field")) {
      case Field.id:
        where.id = asUint64(v, "id");
        break;
      case Field.type:
        where.type = asUint(v, "type");
        break;
      case Field.owner:
        where.owner = readHash(v, "owner");
        break;
      case Field.userType:
        where.userType = text(blob(v, "user type"));
        break;
      default:
        throw new ProtocolError("dht", "a condition on a field that has none");
    }
  }
  return { select: asArray(map.get("s"), "select").map(readField), where };
}

/** The field table as it stands in a packet. */
export function tableFields(table: FieldTable): Encodable {
  return {
    f: table.fields,
    v: table.rows.flatMap((row) => table.fields.map((field) => fieldValue(row, field))),
  };
}

function fieldValue(row: FieldRow, field: FieldNumber): Encodable {
  switch (field) {
    case Field.id:
      return row.id ?? 0;
    case Field.type:
      return row.type ?? 0;
    case Field.owner:
      return owned(Uint8Array.fromHex(row.owner ?? ZERO_HASH));
    case Field.seq:
      return row.seq ?? 0;
    case Field.userType:
      return row.userType ?? "";
  }
}

/** A field table from a packet. @throws {ProtocolError} */
export function readTable(decoded: Decoded): FieldTable {
  const map = asMap(decoded, "fields");
  const fields = asArray(map.get("f"), "fields").map(readField);
  const flat = asArray(map.get("v"), "field values");
  if (new Set(fields).size !== fields.length) throw new ProtocolError("dht", "a field twice");
  if (fields.length === 0 || flat.length % fields.length !== 0) throw new ProtocolError("dht", "field rows incomplete");
  const rows: FieldRow[] = [];
  for (let at = 0; at < flat.length; at += fields.length) {
    rows.push(Object.assign({}, ...fields.map((field, i) => readFieldValue(field, flat[at + i]))));
  }
  return { fields, rows };
}

function readFieldValue(field: FieldNumber, value: Decoded): FieldRow {
  switch (field) {
    case Field.id:
      return { id: asUint64(value, "id") };
    case Field.type:
      return { type: asUint(value, "type") };
    case Field.owner:
      return { owner: hex(blob(value, "owner")) };
    case Field.seq:
      return { seq: asUint(value, "seq", 0xffff) };
    case Field.userType:
      return { userType: text(blob(value, "user type")) };
  }
}

function readField(decoded: Decoded): FieldNumber {
  const field = Object.values(Field).find((f) => f === decoded);
  if (field === undefined) throw new ProtocolError("dht", "an unknown field");
  return field;
}

/** A decoded value that must be an array. @throws {ProtocolError} when it is not */
export function asArray(decoded: Decoded | undefined, what: string): Decoded[] {
  if (Array.isArray(decoded)) return decoded;
  throw new ProtocolError("msgpack", `${what} is not an array`);
}
