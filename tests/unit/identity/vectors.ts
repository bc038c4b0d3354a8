/** The vectors of accounts, and damaged copies of byte strings. */

import type { Bytes } from "../../../core/base/bytes.ts";
import { seededRandom } from "../../../core/base/random.ts";

const folder = new URL("../../vectors/account/", import.meta.url);

/** A vector file's bytes. */
export function vector(name: string): Bytes {
  return Deno.readFileSync(new URL(name, folder));
}

/** A vector file's text. */
export function vectorText(name: string): string {
  return Deno.readTextFileSync(new URL(name, folder));
}

/** All ids, keys, salts and decoded fields, from expected.json. */
export const expected = JSON.parse(vectorText("expected.json"));

/** `count` copies of `bytes`, each damaged in one to four places: changed, cut, doubled, or removed bytes. Repeatable. */
export function* mutated(bytes: Uint8Array, count: number, seed = 1): Generator<Bytes> {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    let copy = [...bytes];
    for (let n = 1 + random.int(4); n > 0; n--) {
      const at = random.int(copy.length || 1);
      const kind = random.int(10);
      if (kind < 5) copy[at] = random.int(256);
      else if (kind < 7) copy[at] ^= 1 << random.int(8);
      else if (kind === 7) copy.splice(at, 1 + random.int(8));
      else if (kind === 8) copy.splice(at, 0, ...copy.slice(at, at + random.int(8)));
      else copy = copy.slice(0, at);
    }
    yield Uint8Array.from(copy);
  }
}
