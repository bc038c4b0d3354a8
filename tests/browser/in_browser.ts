/** Tests in Chromium: the tests of one file share one console, and whatever goes wrong in a window fails its test. */

import assert from "node:assert/strict";
import { type Console, type Look, missing, openConsole, openWindow, type Window } from "./console.ts";

/** Why there can be no browser; null = there can. */
export const NO_BROWSER = missing();
if (NO_BROWSER) console.log(`    ${NO_BROWSER}`);

/** A test that gets a window of its own. */
export type InBrowser = (name: string, look: Look, test: (view: Window, place: Console) => Promise<void>) => void;

/**
 * The tests of a file: `inBrowser` adds one, `end` must stand behind the last.
 * @param open makes the console when the first test needs it
 */
export function browserTests(open: () => Promise<Console> = openConsole): { inBrowser: InBrowser; end: () => void } {
  let place: Console | undefined;
  return {
    inBrowser(name, look, test) {
      Deno.test({
        name,
        ignore: NO_BROWSER !== null,
        // reason: Playwright keeps its connection to the browser's process until it is gone
        sanitizeOps: false,
        sanitizeResources: false,
        async fn() {
          place ??= await open();
          await using view = await openWindow(place, look);
          await test(view, place);
          assert.deepEqual(view.faults, []);
        },
      });
    },
    end() {
      Deno.test({
        name: "the console ends",
        ignore: NO_BROWSER !== null,
        // reason: what the node began in the tests before ends here
        sanitizeOps: false,
        sanitizeResources: false,
        async fn() {
          await place?.[Symbol.asyncDispose]();
        },
      });
    },
  };
}
