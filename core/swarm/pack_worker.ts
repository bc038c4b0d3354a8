/** The worker that parses large packs, so that they do not hold up everything else. Started and stopped by parse_pack.ts. */

import { fromHex } from "../base/bytes.ts";
import { messageOf } from "../base/errors.ts";
import type { PackLimits } from "./git_limits.ts";
import type { GitObject, ObjectType, Oid } from "./object.ts";
import { PackParser } from "./pack_parser.ts";

/** What the worker is told: first the pack, then what it asked for. */
export type ToWorker = { pack: Uint8Array; limits: PackLimits } | { bases: GitObject[] };

/** All objects in a few buffers that can be handed over without copying. */
export interface PackedObjects {
  /** 20 bytes each. */
  oids: Uint8Array<ArrayBuffer>;
  /** Index in {@link TYPES} each. */
  types: Uint8Array<ArrayBuffer>;
  /** Where each ends in `data`. */
  ends: Float64Array<ArrayBuffer>;
  data: Uint8Array<ArrayBuffer>;
}

/** What the worker answers. */
export type FromWorker = { wanted: Oid[] } | { done: PackedObjects } | { failed: string };

export const TYPES: readonly ObjectType[] = ["commit", "tree", "blob", "tag"];

interface Port {
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
}

let parser: PackParser | null = null;

function handle(message: ToWorker): FromWorker {
  try {
    let wanted: Oid[];
    if ("pack" in message) {
      parser = new PackParser(message.pack, message.limits);
      wanted = parser.scan();
    } else wanted = parser?.supply(message.bases) ?? [];
    return wanted.length > 0 || !parser ? { wanted } : { done: gather([...parser.objects.values()]) };
  } catch (error) {
    return { failed: messageOf(error) };
  }
}

function gather(objects: GitObject[]): PackedObjects {
  const out: PackedObjects = {
    oids: new Uint8Array(objects.length * 20),
    types: new Uint8Array(objects.length),
    ends: new Float64Array(objects.length),
    data: new Uint8Array(objects.reduce((sum, { data }) => sum + data.length, 0)),
  };
  let at = 0;
  objects.forEach(({ oid, type, data }, i) => {
    out.oids.set(fromHex(oid), i * 20);
    out.types[i] = TYPES.indexOf(type);
    out.data.set(data, at);
    at += data.length;
    out.ends[i] = at;
  });
  return out;
}

/** Is this file running as a worker, rather than being imported for its types? */
if ("WorkerGlobalScope" in globalThis) {
  const port = globalThis as unknown as Port; // reason: the compiler is told of a window only, and this is a worker
  port.onmessage = ({ data }) => {
    const answer = handle(data);
    const transfer = "done" in answer
      ? [answer.done.oids, answer.done.types, answer.done.ends, answer.done.data].map((part) => part.buffer)
      : [];
    port.postMessage(answer, transfer);
  };
}
