/** The packets of the DHT and their bytes (opendht.md 2.1 to 2.8): one datagram is one msgpack map. */

import { type Bytes, concat, owned } from "../base/bytes.ts";
import { type Encodable, encode } from "../base/msgpack.ts";
import { type Address, ipBytes } from "./address.ts";
import { hashBytes, type InfoHash } from "./info_hash.ts";
import { type FieldTable, type Query, queryFields, tableFields } from "./query.ts";
import { type Value, valueFields } from "./value.ts";

/** A node as told by another node. */
export interface NodeInfo {
  readonly id: InfoHash;
  readonly address: Address;
}

/** One place of `values`: a value, the length of one that follows in parts, or `null` for one that cannot be read. */
export type ValueSlot = Value | number | null;

/** Which families of nodes are wanted; absent: the family of the packet. */
export type Want = readonly (4 | 6)[];

/** The arguments of a request. `key` is `null` when it is missing or zero, which is answered with error 203. */
export type RequestBody =
  | { readonly name: "ping" }
  | { readonly name: "find"; readonly target: InfoHash; readonly want?: Want }
  | { readonly name: "get"; readonly key: InfoHash | null; readonly query?: Query; readonly want?: Want }
  | {
    readonly name: "put";
    readonly key: InfoHash | null;
    readonly values: readonly ValueSlot[];
    /** POSIX seconds; absent: now. */
    readonly created?: number;
    readonly token: Bytes;
  }
  | { readonly name: "refresh"; readonly key: InfoHash | null; readonly valueId: bigint; readonly token: Bytes }
  | {
    readonly name: "listen";
    /** 0 for old peers, which want pushes as replies (2.7). */
    readonly version: number;
    readonly key: InfoHash | null;
    readonly token: Bytes;
    readonly socketId: number;
    readonly query?: Query;
  }
  | {
    readonly name: "update";
    readonly version?: number;
    readonly key?: InfoHash;
    readonly socketId: number;
    readonly values?: readonly ValueSlot[];
    readonly created?: number;
    readonly token?: Bytes;
    readonly refreshed?: readonly bigint[];
    readonly expired?: readonly bigint[];
  };

/** The body of a reply. */
export interface ReplyBody {
  /** Of an acknowledgement: the value's id. */
  readonly valueId?: bigint;
  /** IP address of the asker as the replier sees it, 4 or 16 bytes. */
  readonly seenAs?: Bytes;
  readonly nodes4?: readonly NodeInfo[];
  readonly nodes6?: readonly NodeInfo[];
  readonly token?: Bytes;
  readonly values?: readonly ValueSlot[];
  readonly fields?: FieldTable;
}

/** Bytes `offset …` of the value at `index` of the packet that announced it. */
export interface Part {
  readonly index: number;
  readonly offset: number;
  readonly data: Bytes;
}

interface Envelope {
  /** Transaction id, never 0. */
  readonly tid: number;
  /** 0 is the public network, and Jami's. */
  readonly network?: number;
  /** The sender is a client: it serves nobody. */
  readonly client?: boolean;
  readonly agent?: string;
}

interface Signed extends Envelope {
  /** Node id of the sender. */
  readonly id: InfoHash;
}

export type RequestPacket = Signed & { readonly kind: "request"; readonly body: RequestBody };
export type ReplyPacket = Signed & { readonly kind: "reply"; readonly body: ReplyBody };
export type ErrorPacket = Signed & { readonly kind: "error"; readonly code: number; readonly message: string };
export type PartsPacket = Envelope & { readonly kind: "parts"; readonly parts: readonly Part[] };
/** Refreshed or expired values, told to a listener of protocol version 0. */
export type Update0Packet = Signed & {
  readonly kind: "update0";
  readonly token?: Bytes;
  readonly refreshed?: readonly bigint[];
  readonly expired?: readonly bigint[];
};
export type Packet = RequestPacket | ReplyPacket | ErrorPacket | PartsPacket | Update0Packet;

/** The error codes on the wire (2.4). */
export const ErrorCode = { invalid: 203, unauthorized: 401, notFound: 404 } as const;

const FAMILY_NUMBER = { 4: 2, 6: 10 } as const;

/** The bytes of a packet. */
export function encodePacket(packet: Packet): Bytes {
  return encode(packetFields(packet));
}

function packetFields(packet: Packet): Encodable {
  const { tid: t, agent: v } = packet;
  const n = packet.network || undefined;
  const s = packet.client || undefined;
  switch (packet.kind) {
    case "request":
      return { a: requestFields(packet.id, packet.body), q: packet.body.name, t, y: "q", v, n, s };
    case "reply":
      return { r: replyFields(packet.id, packet.body), t, y: "r", v, n, s };
    case "error":
      return { e: [packet.code, packet.message], r: { id: hashBytes(packet.id) }, t, y: "e", v, n, s };
    case "update0": {
      const { id, token, refreshed, expired } = packet;
      return { u: { id: hashBytes(id), token, re: refreshed, exp: expired }, y: "r", v, t, n, s };
    }
    case "parts": {
      const parts = packet.parts.map(({ index, offset, data }): [Encodable, Encodable] => [
        index,
        { o: offset, d: data },
      ]);
      return { n, s, y: "p", t, p: new Map(parts), v };
    }
  }
}

function requestFields(sender: InfoHash, body: RequestBody): Encodable {
  const id = hashBytes(sender);
  switch (body.name) {
    case "ping":
      return { id };
    case "find":
      return { id, target: hashBytes(body.target), w: wantFields(body.want) };
    case "get":
      return { id, h: keyField(body.key), q: body.query && queryFields(body.query), w: wantFields(body.want) };
    case "put":
      return { id, h: keyField(body.key), values: body.values.map(slotField), c: body.created, token: body.token };
    case "refresh":
      return { id, h: keyField(body.key), vid: body.valueId, token: body.token };
    case "listen": {
      const { key, token, socketId: sid, query } = body;
      return { id, ve: body.version || undefined, h: keyField(key), token, sid, q: query && queryFields(query) };
    }
    case "update": {
      const { version: ve, key, socketId: sid, values, created: c, token, refreshed: re, expired: exp } = body;
      return { id, ve, h: key && hashBytes(key), sid, values: values?.map(slotField), c, token, re, exp };
    }
  }
}

function replyFields(sender: InfoHash, body: ReplyBody): Encodable {
  return {
    id: hashBytes(sender),
    vid: body.valueId,
    sa: body.seenAs,
    n4: body.nodes4?.length ? nodesField(body.nodes4) : undefined,
    n6: body.nodes6?.length ? nodesField(body.nodes6) : undefined,
    token: body.token,
    values: body.values?.map(slotField),
    fileds: body.fields && tableFields(body.fields), // the misspelling is the real key (2.2)
  };
}

function keyField(key: InfoHash | null): Encodable | undefined {
  return key === null ? undefined : hashBytes(key);
}

function wantFields(want: Want | undefined): Encodable | undefined {
  return want?.map((family) => FAMILY_NUMBER[family]);
}

function slotField(slot: ValueSlot): Encodable {
  return slot === null || typeof slot === "number" ? slot : valueFields(slot);
}

function nodesField(nodes: readonly NodeInfo[]): Bytes {
  return owned(concat(...nodes.map(({ id, address }) =>
    concat(
      hashBytes(id),
      ipBytes(address),
      Uint8Array.of(address.port >> 8, address.port & 0xff),
    )
  )));
}
