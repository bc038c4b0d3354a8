/** A file that a member sent, downloaded in a real Chromium. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { filesPath } from "../../core/store/places.ts";
import type { Console } from "./console.ts";
import { browserTests } from "./in_browser.ts";

const { inBrowser, end } = browserTests();

/** Larger than what is read at once. */
const CONTENT = randomBytes(1_500_000);

/** A file of a member whose name turns the direction of text. */
async function sendFile({ store, demo, folder }: Console): Promise<{ id: string; path: string }> {
  const sha3 = createHash("sha3-512").update(CONTENT).digest("hex");
  const id = createHash("sha1").update("announces it").digest("hex");
  const place = join(filesPath(folder), sha3.slice(0, 2));
  await Deno.mkdir(place, { recursive: true });
  const path = join(place, sha3);
  await Deno.writeFile(path, CONTENT);
  store.files.add({
    conversation: demo.group,
    id,
    fileId: `${id}_1.bin`,
    author: demo.identity.account,
    device: "d".repeat(64),
    name: "tides\u202egnp.bin",
    size: CONTENT.length,
    sha3,
    state: "stored",
    announced: Date.now(),
  });
  return { id, path };
}

inBrowser("a file is downloaded as it was sent, once there is a reason to look", {}, async (view, place) => {
  const { page } = view;
  const { demo, store } = place;
  const { id, path } = await sendFile(place);
  const download = page.getByRole("link", { name: "Download tides" });
  await view.go(`/conversations/${demo.group}/files`);
  assert.equal(await download.count(), 0);
  await page.getByRole("link", { name: "reveal the texts first" }).click();
  await page.waitForURL(/\/conversations\/[0-9a-f]{40}$/);
  await view.alive();
  await page.getByRole("button", { name: "Reveal texts" }).click();
  await page.getByLabel("Reason").fill("a member reported abuse");
  await page.getByRole("button", { name: "Reveal", exact: true }).click();
  await page.getByText("Texts are visible until").waitFor();
  await view.go(`/conversations/${demo.group}/files`);
  const [got] = await Promise.all([page.waitForEvent("download"), download.click()]);
  assert.equal(got.suggestedFilename(), "tidesgnp.bin");
  assert.deepEqual(Buffer.from(await Deno.readFile(await got.path())), CONTENT);
  assert.equal(store.audit.list({ action: "file.download" }, 5)[0].target, `${demo.group} ${id}`);
  assert.deepEqual(await view.axe(), []);
  const link = `${place.url}${await download.getAttribute("href")}`;
  await Deno.remove(path);
  assert.equal((await view.context.request.get(link)).status(), 404, "what is lost is not there");
});

end();
