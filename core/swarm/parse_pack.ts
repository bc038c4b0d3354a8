/** Received packs into objects: small ones here, large ones in a worker. */

import { type Bytes, hex, owned } from "../base/bytes.ts";
import { PACK_LIMITS, type PackLimits, WORKER_PACK_BYTES, WORKER_PACK_OBJECTS } from "./git_limits.ts";
import { type GitObject, MissingObject, type ObjectReader, type Oid } from "./object.ts";
import { PackError } from "./pack_entry.ts";
import { packCount, PackParser } from "./pack_parser.ts";
import { type FromWorker, type PackedObjects, type ToWorker, TYPES } from "./pack_worker.ts";

/**
 * The objects of a pack. Deltas may build on objects of the pack or of `base`.
 * @param pack is taken over: with a large one, its buffer may be moved to a worker
 * @throws {PackError} when it is malformed or beyond a limit; the signal's reason when that is aborted
 */
export async function parsePack(
  pack: Bytes,
  base: ObjectReader,
  limits: PackLimits = PACK_LIMITS,
  signal?: AbortSignal,
): Promise<Map<Oid, GitObject>> {
  signal?.throwIfAborted();
  if (pack.length > limits.bytes) throw new PackError("too many bytes");
  if (pack.length > WORKER_PACK_BYTES || packCount(pack) > WORKER_PACK_OBJECTS) {
    return await parseInWorker(pack, base, limits, signal);
  }
  const parser = new PackParser(pack, limits);
  let wanted = parser.scan();
  while (wanted.length > 0) wanted = parser.supply(await findBases(wanted, base, limits));
  return parser.objects;
}

/** The wanted bases that `base` has; none at all means that the pack can never be completed. */
async function findBases(wanted: Oid[], base: ObjectReader, limits: PackLimits): Promise<GitObject[]> {
  const found: GitObject[] = [];
  let total = 0;
  for (const oid of wanted) {
    try {
      const object = await base.read(oid);
      total += object.data.length;
      found.push(object);
    } catch (error) {
      if (!(error instanceof MissingObject)) throw error;
    }
    if (total > limits.totalBytes) throw new PackError("too large with its bases");
  }
  if (found.length === 0) throw new PackError("a delta's base is missing");
  return found;
}

async function parseInWorker(
  pack: Bytes,
  base: ObjectReader,
  limits: PackLimits,
  signal?: AbortSignal,
): Promise<Map<Oid, GitObject>> {
  const worker = new Worker(new URL("./pack_worker.ts", import.meta.url), { type: "module", name: "pack" });
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const wholeBuffer = pack.byteOffset === 0 && pack.byteLength === pack.buffer.byteLength;
    let answer = await Promise.race([ask(worker, { pack, limits }, wholeBuffer ? [pack.buffer] : []), aborted.promise]);
    while ("wanted" in answer) {
      const bases = await findBases(answer.wanted, base, limits);
      answer = await Promise.race([ask(worker, { bases }, []), aborted.promise]);
    }
    if ("failed" in answer) throw new PackError(answer.failed.replace(/^pack: /, ""));
    return scatter(answer.done);
  } finally {
    signal?.removeEventListener("abort", abort);
    worker.terminate();
  }
}

function ask(worker: Worker, message: ToWorker, transfer: Transferable[]): Promise<FromWorker> {
  return new Promise((resolve, reject) => {
    worker.onmessage = (event: MessageEvent<FromWorker>) => resolve(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new PackError(`the parser failed: ${event.message}`));
    };
    worker.postMessage(message, transfer);
  });
}

function scatter({ oids, types, ends, data }: PackedObjects): Map<Oid, GitObject> {
  const objects = new Map<Oid, GitObject>();
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    const oid = hex(oids.subarray(i * 20, i * 20 + 20));
    objects.set(oid, { oid, type: TYPES[types[i]], data: owned(data.subarray(start, ends[i])) });
    start = ends[i];
  }
  return objects;
}
