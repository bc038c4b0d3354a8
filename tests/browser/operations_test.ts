/** The pages for those who run the node, in a real Chromium: back-ups, the log as it comes, and what the node is made of. */

import assert from "node:assert/strict";
import { configure, getLogger, reset } from "@logtape/logtape";
import { join } from "node:path";
import { restore } from "../../core/backup/restore.ts";
import { loadIdentity } from "../../core/identity/storage.ts";
import { logRing } from "../../core/logging.ts";
import { databasePath, identityPath } from "../../core/store/places.ts";
import { openStore } from "../../core/store/store.ts";
import { browserTests } from "./in_browser.ts";

const { inBrowser, end } = browserTests();

const PASSPHRASE = "nine blue herons wade";

inBrowser("a back-up is made and downloaded, and restores the same node", {}, async (view, { node, demo, store }) => {
  const { page } = view;
  await view.go("/settings/backup");
  const passphrase = page.getByLabel("Passphrase", { exact: true });
  const again = page.getByLabel("The same again");
  const make = page.getByRole("button", { name: "Make and download" });
  await passphrase.fill(PASSPHRASE);
  await again.fill("nine blue herons wait");
  await page.getByText("These are two different passphrases.").first().waitFor();
  assert.deepEqual(await view.axe(), [], "with two different passphrases");
  await again.fill(PASSPHRASE);
  const [download] = await Promise.all([page.waitForEvent("download"), make.click()]);
  await page.getByText("has begun").waitFor();
  assert.equal(await passphrase.inputValue(), "", "it does not stay on the page");
  assert.match(download.suggestedFilename(), /^kituo-[0-9a-f]{8}-\d{8}T\d{6}Z\.kituo-backup$/);
  const folder = await Deno.makeTempDir({ prefix: "kituo-restored-" });
  try {
    const file = join(folder, download.suggestedFilename()), data = join(folder, "data");
    await download.saveAs(file); // when it is complete
    assert.equal(await download.failure(), null);
    using handle = await Deno.open(file);
    const { jamiId } = await restore(handle, PASSPHRASE, data);
    assert.equal(jamiId, demo.identity.account);
    assert.equal((await loadIdentity(identityPath(data), Date.now())).device, node.info().deviceId);
    const restored = openStore(databasePath(data));
    try {
      assert.deepEqual(restored.commits.latest(demo.group, 5), store.commits.latest(demo.group, 5));
    } finally {
      restored.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const [{ target, detail }] = store.audit.list({ action: "backup.fetch" }, 1);
  assert.deepEqual([target, detail], [download.suggestedFilename(), "with files"]);
});

inBrowser("a new line of the log is there at once, if it fits, and a pause holds it back", {}, async (view) => {
  await configure({
    sinks: { ring: (record) => logRing.add(record) },
    loggers: [
      { category: "kituo", sinks: ["ring"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  const log = getLogger(["kituo", "relay"]);
  try {
    log.info("a heron landed");
    const { page } = view;
    await view.go("/settings/logs");
    const lines = page.getByRole("list", { name: "Lines of the log, the newest first" }).getByRole("listitem");
    const line = (text: string) => lines.filter({ hasText: text });
    await line("a heron landed").waitFor();
    log.debug("a kingfisher dived");
    log.warn("the lake is low, says {text}", { text: "<b>the ferry</b>" });
    await line("the lake is low, says <b>the ferry</b>").waitFor();
    assert.match(await lines.first().innerText(), /Warning|warning/);
    await line("a kingfisher dived").waitFor();
    assert.deepEqual(await view.axe(), []);

    await page.getByRole("button", { name: "Warnings" }).click();
    await line("a kingfisher dived").waitFor({ state: "detached" });
    await line("the lake is low").waitFor();
    log.info("a pelican passed");
    log.error("the bridge is closed");
    await line("the bridge is closed").waitFor(); // and what was logged before it has been left out
    assert.equal(await line("a pelican passed").count(), 0);
    await page.getByRole("searchbox", { name: "Search" }).fill("RELAY bridge");
    await line("the lake is low").waitFor({ state: "detached" });
    await line("the bridge is closed").waitFor();
    const saved = page.getByRole("link", { name: "Download" });
    const [download] = await Promise.all([page.waitForEvent("download"), saved.click()]);
    const text = await Deno.readTextFile(await download.path());
    assert.match(text, /the bridge is closed/);
    assert.doesNotMatch(text, /the lake is low/);

    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused").waitFor();
    await using other = await view.context.newPage();
    await other.goto(page.url());
    log.error("the second bridge is closed");
    await other.getByText("the second bridge is closed").waitFor(); // so the paused page has been told of it too
    assert.equal(await line("the second bridge is closed").count(), 0);
    await page.getByRole("button", { name: "Go on" }).click();
    await line("the second bridge is closed").waitFor();
    await page.getByRole("searchbox", { name: "Search" }).fill("no such line");
    await page.getByText("No line fits.").waitFor();
  } finally {
    await reset();
  }
});

inBrowser(
  "the page about Kituo tells whose node it is and what it is made of, with all licences",
  {},
  async (view, place) => {
    const { page } = view;
    await view.go("/settings/about");
    const { jamiId, deviceId, version } = place.node.info();
    const text = await page.getByRole("main").innerText();
    for (const fact of [jamiId, deviceId, version, "Deno", "preact"]) assert.ok(text.includes(fact), fact);
    assert.ok(!await page.getByText("playwright-core").isVisible(), "tools are folded away");
    await page.getByText("Built and tested with").click();
    await page.getByText("playwright-core").waitFor();
    await page.getByRole("link", { name: "Read the licence" }).click();
    await page.waitForURL(`${place.url}/settings/about/licence.txt`);
    assert.match(await page.locator("body").innerText(), /GNU GENERAL PUBLIC LICENSE/);
    await page.goBack();
    await page.getByRole("link", { name: "All licence texts" }).click();
    await page.waitForURL(`${place.url}/settings/about/licences.txt`);
    assert.match(await page.locator("body").innerText(), /preact/);
  },
);

end();
