/** The settings page in a real Chromium: what is saved there is at work at once or after a restart, and lives through one. */

import assert from "node:assert/strict";
import { browserTests } from "./in_browser.ts";

const { inBrowser, end } = browserTests();

/** What the browser says of an answer 422, which the page explains. */
const REFUSED = /status of 422/;

for (const scheme of ["light", "dark"] as const) {
  inBrowser(
    `the settings, a change and a wrong value: axe finds nothing serious, ${scheme}`,
    { scheme },
    async (view) => {
      const { page, faults } = view;
      await view.go("/settings");
      assert.deepEqual(await view.axe(), []);
      await page.getByLabel("Largest file").fill("huge");
      await page.getByRole("button", { name: "Save" }).click();
      const row = page.locator('[data-setting="maxFileSize"]');
      await row.getByText('"huge" is not a size').waitFor();
      assert.equal(await page.getByLabel("Largest file").getAttribute("aria-invalid"), "true");
      await page.waitForFunction(() => document.activeElement?.getAttribute("name") === "maxFileSize");
      await page.getByText("1 value cannot be used").waitFor();
      assert.deepEqual(await view.axe(), [], "with a problem");
      assert.equal(faults.splice(0).filter((fault) => !REFUSED.test(fault)).length, 0);
      await page.getByRole("button", { name: "Discard" }).click();
      await row.getByText("is not a size").waitFor({ state: "detached" });
      assert.equal(await page.getByLabel("Largest file").inputValue(), "256M");
    },
  );
}

inBrowser("a name is at work at once, a port after a restart, and both live through it", {}, async (view, place) => {
  const { page } = view;
  await view.go("/settings");
  await page.getByLabel("Name", { exact: true }).fill("Relay Tanga");
  await page.getByLabel("Form of the log").selectOption("json");
  await page.getByText("2 changes").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  assert.equal(place.node.info().name, "Relay Tanga");
  await page.getByText("Some changes wait for a restart").waitFor();
  const row = page.locator('[data-setting="logFormat"]');
  await row.getByText("after a restart: JSON").waitFor();
  assert.deepEqual(await view.axe(), [], "with the banner");
  const noted = place.store.audit.list({ action: "settings.update" }, 5).map(({ target, detail }) => [target, detail]);
  assert.deepEqual(noted.toSorted(), [["logFormat", '"auto" → "json"'], ["name", '"Relay Pwani" → "Relay Tanga"']]);
  await place.restart();
  assert.equal(place.node.info().name, "Relay Tanga");
  await view.go("/settings");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Relay Tanga");
  assert.equal(await page.getByLabel("Form of the log").inputValue(), "json");
  assert.equal(await page.getByText("Some changes wait for a restart").count(), 0);
  await row.getByRole("button", { name: /Use the default/ }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  await row.getByText("after a restart: Text on a terminal, else JSON").waitFor();
});

inBrowser(
  "what a flag says is shown as such and cannot be changed; the search finds settings by what they do",
  {},
  async (view) => {
    const { page } = view;
    await view.go("/settings");
    const port = page.getByLabel("TCP port for peers");
    assert.ok(await port.isDisabled());
    await page.locator('[data-setting="peerPort"]').getByText("Set by --peer-port, which wins over this page.")
      .waitFor();
    await page.getByRole("searchbox").fill("jami-ID quota");
    await page.getByText("Nothing fits.").waitFor();
    await page.getByRole("searchbox").fill("room oldest");
    await page.getByText("Nothing fits.").waitFor({ state: "detached" });
    assert.equal(await page.locator("[data-setting]").count(), 2);
  },
);

inBrowser("on a phone a switch is turned and saved", { phone: true }, async (view, { node }) => {
  const { page } = view;
  await view.go("/settings");
  await page.getByRole("switch", { name: "Offer members to be contacts" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved.").waitFor();
  const offer = node.settings.state().settings.find(({ key }) => key === "offerContact");
  assert.deepEqual([offer?.value, offer?.source, offer?.pending], [false, "file", false]);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `${wide} pixels too wide`);
});

end();
