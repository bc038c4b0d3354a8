/** A group of many in a real Chromium: its members come part by part and are found by name or Jami ID. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeVcard } from "../../core/messaging/vcard.ts";
import { openConsole } from "./console.ts";
import { browserTests } from "./in_browser.ts";

const crowd = Array.from({ length: 300 }, (_, n) => createHash("sha1").update(`member ${n}`).digest("hex"));

const { inBrowser, end } = browserTests(async () => {
  const place = await openConsole({ large: 200, crowd });
  crowd.forEach((account, n) => {
    place.store.profiles.put({ account, name: `Person ${n}`, vcard: writeVcard("x"), modified: 0, received: 1 });
  });
  return place;
});

inBrowser("members of a large group come part by part, and are found", {}, async (view, { demo, tell }) => {
  const { page } = view;
  await view.go(`/conversations/${demo.group}/members`);
  await page.getByText("301 people").waitFor();
  const rows = page.locator("main ul.panel > li");
  await rows.nth(49).waitFor();
  await page.getByRole("button", { name: "Show more" }).click();
  await rows.nth(99).waitFor();
  const order = await rows.locator("code").allInnerTexts();
  const ids = order.filter((id) => id.length === 40);
  assert.deepEqual(ids.slice(1), crowd.toSorted().slice(0, 99));

  await page.getByRole("searchbox").fill("person 2");
  const fitting = crowd.filter((account, n) => `${n}`.includes("2") || account.startsWith("2")).length;
  await page.getByText(`${fitting} found`).waitFor();
  await page.getByRole("searchbox").fill(crowd[7].slice(0, 12).toUpperCase());
  await page.getByText("1 found").waitFor();
  await rows.getByText("Person 7", { exact: true }).waitFor();
  // what happens meanwhile does not bring the others back
  const answered = page.waitForResponse(/\/members\?.*q=/);
  tell({ type: "moderation", data: { about: "bans", reports: 0, held: 0 } });
  await answered;
  await page.getByText("1 found").waitFor();
  await page.getByRole("searchbox").fill("nobody at all");
  await page.getByText("Nobody fits.").waitFor();
  assert.deepEqual(await view.axe(), []);
  await page.getByRole("searchbox").fill("");
  await page.getByText("301 people").waitFor();
});

end();
