/** A title that is long, turns the direction of text and looks like markup does no harm to any page. */

import assert from "node:assert/strict";
import { missing, openConsole, openWindow } from "./console.ts";

const TITLE = `سوق \u202eabc <b>bold</b> ${"W".repeat(200)}`;

const skipped = missing();

Deno.test({
  name: "a hostile title makes no page wider than the window, and hides no button",
  ignore: skipped !== null,
  fn: async () => {
    await using console = await openConsole();
    const { id } = await console.node.createGroup({ mode: "public", title: TITLE });
    const at = `/conversations/${id}`;
    const link = await console.node.joinLinks.create(id, { expiresIn: 3_600, maxUses: 3 }, {
      actor: "Neema",
      address: "",
    });
    await using view = await openWindow(console);
    const { page } = view;
    const fits = async (what: string) => {
      const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= window, `${what} is ${wide} wide`);
    };
    const pages = [
      "/",
      "/conversations",
      at,
      `${at}/members`,
      `${at}/settings`,
      `${at}/history`,
      `${at}/manage`,
      "/protection/bans",
    ];
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 860 });
      for (const path of pages) {
        await view.go(path);
        await fits(path);
      }
      await view.go("/protection");
      const protection = page.locator("section[aria-labelledby^=p-]").first();
      await protection.locator("summary").click();
      await protection.locator("fieldset bdi").first().waitFor();
      await fits("the settings of a protection");
      await view.go("/audit");
      await fits("/audit");
      await page.goto(`${console.url}/join/${link.secret}`);
      await fits("the join page");
    }
    await view.go(`${at}/manage`);
    assert.ok(!(await page.title()).includes("\u202e"));
    await page.getByRole("button", { name: "Leave the conversation" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Leave the conversation" }).click();
    await page.getByRole("button", { name: "Delete …" }).waitFor(); // once it is drawn anew
    await view.alive();
    await page.getByRole("button", { name: "Delete …" }).click();
    const dialog = page.getByRole("dialog");
    const word = (await dialog.locator("label bdi").innerText()).trim();
    assert.equal(word, id.slice(0, 8), "nobody can type such a title");
    await fits("the dialog");
    for (const button of await dialog.getByRole("button").all()) {
      const box = await button.boundingBox();
      assert.ok(box && box.x >= 0 && box.x + box.width <= 390, `a button is at ${box?.x}`);
    }
    await dialog.locator("input").fill(word);
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await page.waitForURL("**/conversations");
    assert.deepEqual(view.faults, []);
  },
});
