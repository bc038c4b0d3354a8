/** `deno task screenshots`: every page, light and dark, on a desktop and on a phone, into the folder `screenshots`. */

import { openConsole, openWindow } from "./console.ts";
import { PAGES } from "./pages.ts";

const FOLDER = new URL("../../screenshots/", import.meta.url);

await Deno.mkdir(FOLDER, { recursive: true });
await using console_ = await openConsole({ furnished: true });
/** Names of pages; none = all. */
const only = new Set(Deno.args);

for (const scheme of ["light", "dark"] as const) {
  for (const phone of [false, true]) {
    await using view = await openWindow(console_, {
      scheme,
      phone,
      locale: scheme === "dark" && phone ? "fr-FR" : "en-GB",
    });
    for (const [name, pathOf] of Object.entries(PAGES)) {
      if (only.size > 0 && !only.has(name)) continue;
      await view.go(pathOf(console_.demo));
      await view.page.waitForTimeout(250);
      const file = `${name}-${scheme}-${phone ? "phone" : "desktop"}.png`;
      await view.page.screenshot({
        path: new URL(file, FOLDER).pathname,
        fullPage: only.size > 0 && name !== "timeline",
      });
      console.log(file);
    }
    if (only.size > 0 && !only.has("revealed")) continue;
    await view.go(PAGES.timeline(console_.demo));
    await view.page.locator("section button").first().click();
    await view.page.waitForTimeout(200);
    await view.page.screenshot({
      path: new URL(`reveal-${scheme}-${phone ? "phone" : "desktop"}.png`, FOLDER).pathname,
    });
    await view.page.fill("input[name=reason]", "member reported abuse");
    await view.page.locator("dialog button[type=submit]").click();
    await view.page.waitForSelector("text=1:51, >> nth=0", { timeout: 1_500 }).catch(() => {});
    await view.page.waitForTimeout(400);
    await view.page.screenshot({
      path: new URL(`revealed-${scheme}-${phone ? "phone" : "desktop"}.png`, FOLDER).pathname,
    });
    await view.page.locator("section button").first().click();
    if (view.faults.length > 0) console.log(view.faults);
  }
}
