/** What is true for every page of the console (`pages.ts`), in a real Chromium. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { openConsole } from "./console.ts";
import { browserTests } from "./in_browser.ts";
import { PAGES } from "./pages.ts";

const { inBrowser, end } = browserTests(() => openConsole({ furnished: true }));

/** What the console says when a page is asked for that is not there: the browser's own line. */
const NOT_FOUND = /status of 404/;

for (const scheme of ["light", "dark"] as const) {
  inBrowser(`every page is fault-free and axe finds nothing serious, ${scheme}`, { scheme }, async (view, { demo }) => {
    for (const [name, pathOf] of Object.entries(PAGES)) {
      await view.go(pathOf(demo));
      assert.deepEqual(await view.axe(), [], name);
      assert.deepEqual(await strayNames(view.page), [], name);
      const faults = view.faults.splice(0);
      assert.deepEqual(faults.filter((fault) => name !== "nothing" || !NOT_FOUND.test(fault)), [], name);
    }
    await view.go("/");
    await view.page.locator("[popovertarget=menu]").click();
    assert.deepEqual(await view.axe(), [], "the menu of who is signed in");
    await view.page.getByRole("button", { name: "Français" }).click();
    await view.page.getByRole("heading", { level: 1, name: /Relais de|Pas de connexion/ }).waitFor();
    assert.equal(await view.page.getAttribute("html", "lang"), "fr");
  });
}

/** Ids that two elements have, and labels and descriptions that lead nowhere. */
function strayNames(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    const twice = ids.filter((id, i) => ids.indexOf(id) !== i);
    const wanted = ["for", "aria-labelledby", "aria-describedby"].flatMap((name) =>
      [...document.querySelectorAll(`[${name}]`)].flatMap((element) => element.getAttribute(name)?.split(" ") ?? [])
    );
    return [...twice, ...wanted.filter((id) => !ids.includes(id))];
  });
}

inBrowser(
  "on a phone no page is wider than the screen, and the navigation is at hand",
  { phone: true },
  async (view, { demo }) => {
    for (const [name, pathOf] of Object.entries(PAGES)) {
      await view.go(pathOf(demo));
      const wide = await view.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} is ${wide} pixels too wide`);
      for (const href of ["/", "/conversations", "/requests"]) {
        assert.ok(await view.page.locator(`nav.bar a[href="${href}"]`).isVisible(), `${name}: ${href}`);
      }
    }
    view.faults.splice(0); // "nothing" is 404
  },
);

end();
