/** Damaged copies of good bytes, the same ones each time. */

import { type Bytes, concat } from "../../../core/base/bytes.ts";
import { seededRandom } from "../../../core/base/random.ts";

/** `count` copies of the samples, each with one to four bytes changed, removed, doubled, or its end cut off. */
export function* mutations(samples: Uint8Array[], count: number, seed = 1): Generator<Bytes> {
  const random = seededRandom(seed);
  for (let i = 0; i < count; i++) {
    let bytes: Bytes = new Uint8Array(samples[random.int(samples.length)]);
    for (let n = 1 + random.int(4); n > 0 && bytes.length > 0; n--) {
      const at = random.int(bytes.length);
      const kind = random.int(6);
      if (kind < 3) bytes[at] = random.int(256);
      else if (kind === 3) bytes = concat(bytes.subarray(0, at), bytes.subarray(at + 1));
      else if (kind === 4) bytes = concat(bytes.subarray(0, at), bytes.subarray(at, at + 8), bytes.subarray(at));
      else bytes = bytes.slice(0, at);
    }
    yield bytes;
  }
}

/** The file of a vector. */
export function vector(path: string): Bytes {
  return Deno.readFileSync(new URL(`../../vectors/${path}`, import.meta.url));
}

/** Calls `run` and lets pass only errors of the class given. */
export function refuses(error: abstract new (...args: never[]) => Error, run: () => void): void {
  try {
    run();
  } catch (thrown) {
    if (!(thrown instanceof error)) throw thrown;
  }
}
