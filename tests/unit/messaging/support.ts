/** What the tests of the messaging room share. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";

const VECTORS = new URL("../../vectors/", import.meta.url);

/** The bytes of a vector, by its path below `tests/vectors/`. */
export function vector(path: string): Bytes {
  return Deno.readFileSync(new URL(path, VECTORS));
}

/** All vectors of a folder below `tests/vectors/`, by name. */
export function vectors(folder: string): [name: string, bytes: Bytes][] {
  return [...Deno.readDirSync(new URL(folder, VECTORS))]
    .filter((entry) => entry.isFile && entry.name.endsWith(".bin"))
    .map((entry): [string, Bytes] => [entry.name, vector(`${folder}/${entry.name}`)])
    .sort(([a], [b]) => a < b ? -1 : 1);
}

/** Does a thousand random changes to the vectors, and wants each to be read or refused with a `ProtocolError`. */
export function mutate(originals: Bytes[], read: (bytes: Bytes) => unknown): void {
  const edit = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom("set", "delete", "insert", "cut", "repeat"));
  const mutant = fc.tuple(fc.constantFrom(...originals), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([bytes, edits]) => edits.reduce((b, [at, value, how]) => apply(b, at % (b.length + 1), value, how), bytes));
  fc.assert(
    fc.property(mutant, (bytes) => {
      try {
        read(bytes);
      } catch (error) {
        assert(error instanceof ProtocolError, String(error));
      }
    }),
    { numRuns: 1000 },
  );
}

function apply(bytes: Bytes, at: number, value: number, how: string): Bytes {
  const before = bytes.subarray(0, at);
  if (how === "set") return concat(before, Uint8Array.of(value), bytes.subarray(at + 1));
  if (how === "delete") return concat(before, bytes.subarray(at + 1));
  if (how === "insert") return concat(before, Uint8Array.of(value), bytes.subarray(at));
  if (how === "cut") return concat(before);
  return concat(before, bytes.subarray(Math.max(0, at - value)));
}

/** Cuts bytes into pieces of the given lengths, over and over. */
export function* pieces(bytes: Bytes, lengths: number[]): Generator<Bytes> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + lengths[i % lengths.length];
    yield bytes.slice(at, end);
    at = end;
  }
}

/** An id of `digits` hex digits. */
export function hexArb(digits: number): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: digits / 2, maxLength: digits / 2 }).map((b) => b.toHex());
}

/** Bytes of any content. */
export function bytesArb(maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ maxLength }).map((b) => new Uint8Array(b));
}

/** A plain object of the given properties. */
export function record<T extends object>(properties: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(properties, { noNullPrototype: true });
}
