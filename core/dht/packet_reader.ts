/** Reading packets as tolerantly as the peers do, and no more (opendht.md 1, 2.1, 2.2, 2.9). */

import type { Bytes } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { asMap, asUint, asUint64, decode, type Decoded } from "../base/msgpack.ts";
import { addressOf } from "./address.ts";
import { MAX_TOKEN_BYTES, NODES_IN_REPLY } from "./constants.ts";
import { HASH_BYTES, type InfoHash, ZERO_HASH } from "./info_hash.ts";
import type { NodeInfo, Packet, Part, ReplyBody, RequestBody, ValueSlot, Want } from "./packet.ts";
import { asArray, readQuery, readTable } from "./query.ts";
import { blob, readHash, readValue } from "./value.ts";

type Fields = Map<Decoded, Decoded>;

const UINT32 = 0xffffffff;
const NO_BYTES: Bytes = new Uint8Array(0);

/**
 * The packet in a datagram.
 * @throws {ProtocolError} when it must be dropped
 */
export function decodePacket(datagram: Uint8Array): Packet {
  const map = asMap(decode(datagram), "packet");
  const agent = map.get("v");
  const network = map.has("n") ? asUint(map.get("n"), "network", UINT32) : 0;
  const envelope = {
    tid: readTransaction(map.get("t")),
    ...(network ? { network } : {}),
    ...(map.get("s") === true ? { client: true } : {}),
    ...(typeof agent === "string" ? { agent } : {}),
  };
  if (map.has("e")) return { kind: "error", ...envelope, ...readError(map) };
  if (map.has("r")) return { kind: "reply", ...envelope, ...readReply(asMap(map.get("r"), "reply")) };
  if (map.has("p")) return { kind: "parts", ...envelope, parts: readParts(asMap(map.get("p"), "parts")) };
  if (map.has("u")) return { kind: "update0", ...envelope, ...readUpdate0(asMap(map.get("u"), "update")) };
  const type = map.get("y");
  if (type !== undefined && type !== "q") throw refused("unknown packet type");
  const args = asMap(map.get("a"), "arguments");
  return { kind: "request", ...envelope, id: readSender(args), body: readRequest(map.get("q"), args) };
}

function refused(message: string): ProtocolError {
  return new ProtocolError("dht", message);
}

function readTransaction(value: Decoded | undefined): number {
  const tid = value instanceof Uint8Array && value.length === 4
    ? new DataView(value.buffer, value.byteOffset).getUint32(0)
    : asUint(value, "transaction", UINT32);
  if (tid === 0) throw refused("transaction 0");
  return tid;
}

function readSender(fields: Fields): InfoHash {
  const id = readHash(fields.get("id"), "sender");
  if (id === ZERO_HASH) throw refused("sender is zero");
  return id;
}

function readRequest(name: Decoded | undefined, args: Fields): RequestBody {
  switch (name) {
    case "ping":
      return { name };
    case "find":
      return { name, target: readHash(args.get("target"), "target"), ...readWant(args) };
    case "get":
      return { name, key: readKey(args), ...readOptionalQuery(args), ...readWant(args) };
    case "put": {
      const values = asArray(args.get("values"), "values").map(readSlot);
      return { name, key: readKey(args), values, ...readCreated(args), token: readToken(args) ?? NO_BYTES };
    }
    case "refresh":
      return {
        name,
        key: readKey(args),
        valueId: asUint64(args.get("vid"), "value id"),
        token: readToken(args) ?? NO_BYTES,
      };
    case "listen":
      return {
        name,
        version: args.has("ve") ? asUint(args.get("ve"), "version") : 0,
        key: readKey(args),
        token: readToken(args) ?? NO_BYTES,
        socketId: asUint(args.get("sid"), "socket", UINT32),
        ...readOptionalQuery(args),
      };
    case "update":
      return readUpdate(args);
  }
  throw refused("unknown request");
}

function readUpdate(args: Fields): RequestBody {
  const key = readKey(args);
  const token = readToken(args);
  return {
    name: "update",
    ...(args.has("ve") ? { version: asUint(args.get("ve"), "version") } : {}),
    ...(key ? { key } : {}),
    socketId: asUint(args.get("sid"), "socket", UINT32),
    ...(args.has("values") ? { values: asArray(args.get("values"), "values").map(readSlot) } : {}),
    ...readCreated(args),
    ...(token ? { token } : {}),
    ...readIdLists(args),
  };
}

function readReply(fields: Fields): { id: InfoHash; body: ReplyBody } {
  const token = readToken(fields);
  const body: ReplyBody = {
    ...(fields.has("vid") ? { valueId: asUint64(fields.get("vid"), "value id") } : {}),
    ...(fields.has("sa") ? { seenAs: blob(fields.get("sa"), "seen address") } : {}),
    ...(fields.has("n4") ? { nodes4: readNodes(blob(fields.get("n4"), "nodes"), 4) } : {}),
    ...(fields.has("n6") ? { nodes6: readNodes(blob(fields.get("n6"), "nodes"), 16) } : {}),
    ...(token ? { token } : {}),
    ...(fields.has("values") ? { values: asArray(fields.get("values"), "values").map(readSlot) } : {}),
    ...(fields.has("fileds") ? { fields: readTable(fields.get("fileds") ?? null) } : {}),
  };
  return { id: readSender(fields), body };
}

function readError(map: Fields): { id: InfoHash; code: number; message: string } {
  const [code, message] = asArray(map.get("e"), "error");
  return {
    id: readSender(asMap(map.get("r"), "reply")),
    code: asUint(code, "error code", 0xffff),
    message: typeof message === "string" ? message : "",
  };
}

function readUpdate0(fields: Fields) {
  const token = readToken(fields);
  return { id: readSender(fields), ...(token ? { token } : {}), ...readIdLists(fields) };
}

function readIdLists(fields: Fields): { refreshed?: bigint[]; expired?: bigint[] } {
  const ids = (key: string) => asArray(fields.get(key), key).map((id) => asUint64(id, "value id"));
  return {
    ...(fields.has("re") ? { refreshed: ids("re") } : {}),
    ...(fields.has("exp") ? { expired: ids("exp") } : {}),
  };
}

function readParts(fields: Fields): Part[] {
  return [...fields].map(([index, part]) => {
    const map = asMap(part, "part");
    return {
      index: asUint(index, "part index", UINT32),
      offset: asUint(map.get("o"), "part offset", UINT32),
      data: blob(map.get("d"), "part"),
    };
  });
}

function readKey(args: Fields): InfoHash | null {
  if (!args.has("h")) return null;
  const key = readHash(args.get("h"), "key");
  return key === ZERO_HASH ? null : key;
}

function readToken(fields: Fields): Bytes | undefined {
  if (!fields.has("token")) return undefined;
  const token = blob(fields.get("token"), "token");
  return token.length >= 1 && token.length <= MAX_TOKEN_BYTES ? token : undefined;
}

function readCreated(args: Fields): { created?: number } {
  return args.has("c") ? { created: asUint(args.get("c"), "creation time") } : {};
}

function readOptionalQuery(args: Fields) {
  return args.has("q") ? { query: readQuery(args.get("q") ?? null) } : {};
}

function readWant(args: Fields): { want?: Want } {
  if (!args.has("w")) return {};
  const numbers = asArray(args.get("w"), "wanted families");
  return { want: [...(numbers.includes(2) ? [4 as const] : []), ...(numbers.includes(10) ? [6 as const] : [])] };
}

/** One bad value does not spoil the others: upstream drops it alone, and so do we (3.1). */
function readSlot(slot: Decoded): ValueSlot {
  if (typeof slot === "number") return asUint(slot, "value length");
  try {
    return readValue(slot);
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}

function readNodes(list: Bytes, ipLength: 4 | 16): NodeInfo[] {
  const length = HASH_BYTES + ipLength + 2;
  if (list.length % length !== 0) throw refused("node list cut");
  const nodes: NodeInfo[] = [];
  for (let at = 0; at < list.length && nodes.length < NODES_IN_REPLY; at += length) {
    const entry = list.subarray(at, at + length);
    const address = addressOf(
      entry.subarray(HASH_BYTES, HASH_BYTES + ipLength),
      new DataView(entry.buffer, entry.byteOffset).getUint16(length - 2),
    );
    const family = ipLength === 4 ? 4 : 6;
    if (address?.family === family) nodes.push({ id: entry.subarray(0, HASH_BYTES).toHex(), address });
  }
  return nodes;
}
