import assert from "node:assert/strict";
import fc from "fast-check";
import { seededRandom } from "../../../core/base/random.ts";
import { Backoff } from "../../../core/transport/backoff.ts";

Deno.test("waits double from 5 s to 5 min, shortened by at most a quarter, and start again after a success", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const backoff = new Backoff(seededRandom(seed));
      for (let round = 0; round < 2; round++) {
        for (let i = 0; i < 100; i++) {
          const full = Math.min(5_000 * 2 ** i, 300_000);
          const wait = backoff.failed();
          assert(wait <= full && wait >= full * 0.75 - 1, `${wait} of ${full}`);
        }
        assert.equal(backoff.failures, 100);
        backoff.reset();
      }
    }),
    { numRuns: 20 },
  );
});
