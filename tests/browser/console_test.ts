/** The console in a real Chromium, over conversations that the real code made. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { openConsole, openWindow } from "./console.ts";
import { browserTests, NO_BROWSER } from "./in_browser.ts";

const { inBrowser, end } = browserTests();

inBrowser(
  "texts stay hidden until a reason is given, which the audit trail keeps",
  {},
  async (view, { demo, store }) => {
    const { page } = view;
    await view.go(`/conversations/${demo.group}`);
    const secret = "The train comes at 9:51";
    assert.ok(!(await page.content()).includes(secret));
    await page.getByRole("button", { name: "Reveal texts" }).click();
    await page.getByLabel("Reason").fill("a member reported abuse");
    assert.deepEqual(await view.axe(), [], "the dialogue");
    await page.getByRole("button", { name: "Reveal", exact: true }).click();
    await page.getByText(secret).first().waitFor();
    const [entry] = store.audit.list({ action: "conversation.reveal" }, 1);
    assert.deepEqual([entry.actor, entry.target, entry.detail], ["Neema", demo.group, "a member reported abuse"]);
    assert.equal(store.audit.verify().broken, null);
    await page.getByRole("button", { name: "Hide again" }).click();
    await page.getByText("Texts are hidden").waitFor();
    await page.getByText(secret).first().waitFor({ state: "detached" });
    await page.reload();
    assert.ok(!(await page.content()).includes(secret));
  },
);

inBrowser(
  "a request that comes in is there at once, and goes by click or key",
  {},
  async (view, { tell, store, demo }) => {
    const { page } = view;
    await view.go("/requests");
    await page.getByText("Fatuma Ali").waitFor();
    const account = createHash("sha1").update("comes in while somebody looks").digest("hex");
    store.trustRequests.put({
      account,
      device: "d".repeat(64),
      conversation: "c".repeat(40),
      payload: new TextEncoder().encode("BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Imani Late\r\nEND:VCARD"),
      received: Date.now(),
    });
    tell({
      type: "request",
      data: {
        id: account,
        kind: "contact",
        jamiId: account,
        conversationId: "c".repeat(40),
        title: "Imani Late",
        name: "Imani Late",
        registeredName: "",
        received: Math.floor(Date.now() / 1000),
      },
    });
    const row = page.locator("li", { hasText: "Imani Late" });
    await row.getByRole("button", { name: "Accept" }).click();
    await row.waitFor({ state: "detached" });
    assert.ok(store.contacts.get(account));
    assert.equal(store.trustRequests.get(account), undefined);
    assert.equal(store.audit.list({ action: "request.accept" }, 1)[0].target, account);
    const [fatuma, gabriel] = demo.requests;
    await page.locator(`[data-id="${fatuma}"]`).focus();
    await page.keyboard.press("d");
    await page.locator(`[data-id="${fatuma}"]`).waitFor({ state: "detached" });
    assert.equal(store.trustRequests.get(fatuma), undefined);
    await page.locator(`[data-id="${gabriel}"]`).focus();
    await page.keyboard.press("b");
    await page.locator(`[data-id="${gabriel}"]`).waitFor({ state: "detached" });
    assert.ok(store.contacts.get(gabriel)?.banned);
  },
);

inBrowser("conversations are found by their title and sorted", {}, async (view) => {
  const { page } = view;
  await view.go("/conversations");
  await page.getByRole("searchbox").fill("CHESS");
  await page.getByText("1 conversation", { exact: true }).waitFor();
  await page.getByRole("searchbox").fill("");
  await page.getByRole("combobox").selectOption("commits");
  const first = page.locator("main ul a").first();
  await first.getByText("Saturday walk").waitFor();
  await first.click();
  await page.getByRole("heading", { level: 1, name: "Saturday walk" }).waitFor();
});

inBrowser("the first page is small and soon alive", {}, async (view, { url }) => {
  const { page } = view;
  let bytes = 0;
  // others use the machine, too: the best of some tries is what the console can do
  let best = Infinity;
  for (let tries = 0; tries < 5; tries++) {
    await page.goto(`${url}/healthz`);
    await (await view.context.newCDPSession(page)).send("Network.clearBrowserCache");
    await view.go("/");
    best = Math.min(best, await page.evaluate(() => Number(document.documentElement.dataset.ready)));
    await page.waitForSelector("canvas"); // the charts are there once two samples were taken
    bytes = await page.evaluate(() => {
      const entries = ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type));
      const loaded = entries.filter((entry) => entry instanceof PerformanceResourceTiming);
      return loaded.reduce((sum, { transferSize }) => sum + transferSize, 0);
    });
  }
  console.log(`    ${bytes} bytes, alive after ${best.toFixed(0)} ms`);
  assert.ok(bytes > 30_000 && bytes < 60_000, `${bytes} bytes`);
  assert.ok(best < 500, `${best} ms`);
});

Deno.test({
  name: "a timeline of 10,000 entries: few elements, no long pauses while it is scrolled to its end",
  ignore: NO_BROWSER !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using large = await openConsole({ large: 12_600 });
    await using view = await openWindow(large);
    const { page } = view;
    await view.go(`/conversations/${large.demo.group}`);
    await page.evaluate(() => {
      // the longest time between two frames
      const pauses = globalThis as unknown as { longest: number };
      pauses.longest = 0;
      let before = performance.now();
      const frame = (now: number) => {
        pauses.longest = Math.max(pauses.longest, now - before);
        before = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    const rows = page.locator("main ol > li");
    for (let most = 0; !await page.getByText("The conversation begins here.").isVisible();) {
      await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await page.waitForTimeout(30);
      most = Math.max(most, await rows.count());
      assert.ok(most < 80, `${most} rows are drawn`);
    }
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    await page.waitForTimeout(100);
    assert.ok(await rows.last().isVisible());
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    assert.ok(height > 10_000 * 45, `${height} pixels are not 10,000 entries`);
    const longest = await page.evaluate(() => (globalThis as unknown as { longest: number }).longest);
    console.log(`    ${longest.toFixed(0)} ms between two frames at most`);
    assert.ok(longest < 250, `${longest} ms`);
    assert.deepEqual(view.faults, []);
  },
});

end();
