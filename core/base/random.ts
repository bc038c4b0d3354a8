/** The one source of randomness, passed in everywhere, so that simulations can be repeated. */

import type { Bytes } from "./bytes.ts";

export interface Random {
  /** `n` random bytes. */
  bytes(n: number): Bytes;
  /** A whole number in `0 .. below-1`. */
  int(below: number): number;
  /** A number in `[0, 1)`. */
  float(): number;
  /** A 64-bit number that is not zero. */
  id(): bigint;
}

/** Randomness from `fill`, which overwrites a buffer with random bytes. */
function randomFrom(fill: (buffer: Bytes) => void): Random {
  const bytes = (n: number) => {
    const out = new Uint8Array(n);
    fill(out);
    return out;
  };
  const float = () => new DataView(bytes(8).buffer).getUint32(0) / 2 ** 32;
  return {
    bytes,
    float,
    int: (below) => Math.floor(float() * below),
    id: () => new DataView(bytes(8).buffer).getBigUint64(0) || 1n,
  };
}

/** The operating system's randomness: the only one to make keys, nonces and tokens from. */
export const systemRandom: Random = randomFrom((buffer) => crypto.getRandomValues(buffer));

/** A repeatable sequence for simulations and tests (mulberry32); never for anything secret. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return randomFrom((buffer) => {
    for (let i = 0; i < buffer.length; i++) {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = Math.imul(state ^ (state >>> 15), 1 | state);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      buffer[i] = ((t ^ (t >>> 14)) >>> 0) & 0xff;
    }
  });
}

/** The items in a random order, in a new array. */
export function shuffled<T>(random: Random, items: Iterable<T>): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}
