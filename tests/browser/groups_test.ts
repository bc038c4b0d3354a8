/** Groups made and run by clicks: with a real daemon that is invited and sees what was chosen, and on a page of its own. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { ConversationDetail } from "../../core/node_api.ts";
import { Network } from "../interop/driver/network.ts";
import { missing } from "../interop/driver/requirements.ts";
import { people } from "../interop/driver/daemon.ts";
import { readyKituo } from "../interop/driver/scenario.ts";
import { pngOf } from "../support/png.ts";
import { openBrowser } from "./console.ts";
import { forward, signUp } from "./driven.ts";
import { browserTests, NO_BROWSER } from "./in_browser.ts";

/** A picture of 300 times 200 pixels, as a file that somebody chooses. */
const PICTURE = {
  name: "logo.png",
  mimeType: "image/png",
  buffer: pngOf(300, 200),
};
const NOT_A_PICTURE = { name: "logo.png", mimeType: "image/png", buffer: Buffer.from("hello") };

/** What the browser itself says of an answer that is no success: the page has said it in words. */
const REFUSED = /status of (404|409|422)/;

const { inBrowser, end } = browserTests();

inBrowser(
  "a group is made with picture, people and rules for files; its settings are changed",
  {},
  async (view, place) => {
    const { page } = view;
    await view.go("/conversations");
    await page.getByRole("link", { name: "New group" }).click();
    await page.waitForURL(/\/new$/);
    await view.alive();
    await page.getByLabel("Title").fill("Ferry");
    await page.getByLabel("Description").fill("Times\nand prices");
    await page.locator("input[type=file]").first().setInputFiles(NOT_A_PICTURE);
    await page.getByText("not a picture").waitFor();
    await page.locator("input[type=file]").first().setInputFiles(PICTURE);
    await page.locator("form img").waitFor();
    await page.getByRole("radio", { name: "Admins only" }).check();
    const person = page.getByLabel("Registered name or Jami ID");
    await person.fill("no such thing!? 12");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("neither a registered name").waitFor();
    await person.fill(`  jami:${"AB".repeat(20)} `);
    await person.press("Enter");
    await page.getByText("ab".repeat(20)).waitFor();
    await person.fill("ab".repeat(20));
    await person.press("Enter");
    await page.getByText("Already in the list.").waitFor();
    await page.getByLabel("Keep files").selectOption("30");
    assert.deepEqual(await view.axe(), []);
    await page.getByRole("button", { name: "Make the group" }).click();
    await page.waitForURL(/\/conversations\/[0-9a-f]{40}\/members$/);
    await view.alive();
    const id = page.url().split("/").at(-2) ?? "";
    const group = await place.node.conversation(id);
    assert.deepEqual([group.title, group.description, group.mode], ["Ferry", "Times and prices", 1]);
    assert.ok(group.avatar.length > 50 && group.avatar.length < 48_000);
    assert.deepEqual(place.store.fileRules.get(id), { quota: null, retentionDays: 30 });
    assert.ok(group.members.some(({ jamiId, role }) => jamiId === "ab".repeat(20) && role === "invited"));

    await page.getByLabel("Registered name or Jami ID").fill(`jami:${"cd".repeat(20)}`);
    await page.getByRole("button", { name: "Invite" }).click();
    await page.getByText("The invitation is on its way.").waitFor();

    const parts = page.getByRole("navigation", { name: "Parts of the conversation" });
    await parts.getByRole("link", { name: "Settings" }).click();
    await page.waitForURL(/\/settings$/);
    await view.alive();
    await page.getByLabel("Title").fill("Ferry and bus");
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByLabel("Host of calls").selectOption({ index: 1 });
    await page.getByRole("button", { name: "Save" }).first().click();
    await page.getByRole("heading", { level: 1, name: "Ferry and bus" }).waitFor();
    await view.alive();
    const changed = await place.node.conversation(id);
    assert.deepEqual([changed.avatar, changed.defaultHost?.jamiId], ["", place.node.info().jamiId]);
    await page.getByLabel("Room for files").selectOption({ label: "500 MB" });
    await page.getByRole("button", { name: "Save" }).last().click();
    await page.getByText("Saved.").waitFor();
    assert.deepEqual(place.store.fileRules.get(id), { quota: 500 * 2 ** 20, retentionDays: 30 });
  },
);

inBrowser("who reads QR codes with the browser's own reader needs not type", {}, async (view) => {
  const { page } = view;
  await page.addInitScript(() => {
    // Chromium on Linux has no reader of its own: this one finds what the test wants
    Object.assign(globalThis, {
      BarcodeDetector: class {
        static getSupportedFormats(): Promise<string[]> {
          return Promise.resolve(["qr_code"]);
        }
        detect = () => Promise.resolve([{ rawValue: "https://example.org" }, { rawValue: `jami:${"ef".repeat(20)}` }]);
      },
    });
  });
  await view.go("/conversations/new");
  await page.getByRole("button", { name: "Read a QR code from a picture" }).waitFor();
  await page.locator("input[type=file]").last().setInputFiles(PICTURE);
  await page.getByText("ef".repeat(20)).waitFor();
});

end();

const unfit = NO_BROWSER !== null || (await missing()).length > 0;

Deno.test({
  name:
    "a group made by clicks: a real daemon is invited, sees title and picture, joins; another is invited later by pasted text",
  ignore: unfit,
  // reason: Playwright keeps its connection to the browser's process until it is gone
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using network = await Network.up();
    const [[alice, bob], kituo] = await Promise.all([people(network, "alice", "bob"), readyKituo(network)]);
    await using place = forward(kituo);
    await using view = await openBrowser(place.url);
    const { page } = view;
    await signUp(view, place.url, kituo);
    await view.go("/conversations/new");
    await page.getByLabel("Title").fill("By clicks");
    await page.locator("input[type=file]").first().setInputFiles(PICTURE);
    await page.locator("form img").waitFor();
    await page.getByLabel("Registered name or Jami ID").fill(alice.uri);
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("button", { name: "Make the group" }).click();
    await page.waitForURL(/\/members$/);
    await view.alive();
    const id = page.url().split("/").at(-2) ?? "";
    await alice.acceptGroup(id);
    await alice.waitMember(id, kituo.jamiId);
    const row = page.locator("li", { hasText: alice.uri });
    await row.getByText("member", { exact: true }).waitFor();
    const { title, avatar } = await alice.infos(id);
    const group = await kituo.api<ConversationDetail>("GET", `/conversations/${id}`);
    assert.deepEqual([title, avatar], ["By clicks", group.avatar]);
    await page.getByLabel("Registered name or Jami ID").fill(`jami:${bob.uri}`);
    await page.getByRole("button", { name: "Invite" }).click();
    await bob.acceptGroup(id);
    await alice.waitMember(id, bob.uri);
    await page.locator("li", { hasText: bob.uri }).getByText("member", { exact: true }).waitFor();
    assert.deepEqual(view.faults.filter((fault) => !REFUSED.test(fault)), []);
  },
});
