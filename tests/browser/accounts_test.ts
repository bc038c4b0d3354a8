/** Admins, tokens, the audit log and one's own account, by clicks in a real Chromium. */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Console, openBrowser } from "./console.ts";
import { OWNER } from "./furnish.ts";
import { browserTests } from "./in_browser.ts";

/** What the overview says first; a node without network says after a minute that nobody can reach it. */
const OVERVIEW = /Relaying|Nothing to relay|Not connected/;

const { inBrowser, end } = browserTests();

/** What the browser itself says of refusals that are expected. */
const REFUSED = /status of (401|403|404|409)/;

/** The row of a list that holds this text. */
function row(page: Page, text: string) {
  return page.locator("main li", { hasText: text });
}

/** Confirms in the dialogue that is open. */
async function confirm(page: Page, name: string): Promise<void> {
  await page.locator("dialog[open]").getByRole("button", { name, exact: true }).click();
  await page.locator("dialog[open]").waitFor({ state: "detached" });
}

async function status(place: Console, token: string): Promise<number> {
  const response = await fetch(`${place.url}/api/v1/node`, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

inBrowser(
  "an admin is invited by a link that is shown once, changes roles, and goes; the last owner stays",
  {},
  async (view, place) => {
    const { page } = view;
    await view.go("/settings/admins");
    assert.ok(await row(page, OWNER.name).getByRole("button", { name: "Remove" }).isDisabled());
    assert.ok(await row(page, OWNER.name).getByRole("combobox").isDisabled());
    await page.getByRole("button", { name: "Make a link" }).click();
    const shown = page.getByRole("region", { name: "The link of the invitation" });
    const link = await shown.locator("code").innerText();
    assert.match(link, /^http:\/\/localhost:\d+\/admin-invitation\?secret=[\w-]{43}$/);
    assert.deepEqual(await view.axe(), [], "with the link");
    await using guest = await openBrowser(place.url);
    await guest.page.goto(link);
    await guest.alive();
    await guest.page.getByLabel("Your name").fill("Juma");
    await guest.page.getByLabel("Password").fill(OWNER.password);
    await guest.page.getByRole("button", { name: "Continue with this password" }).click();
    await guest.page.getByRole("heading", { level: 1, name: OVERVIEW }).waitFor();
    await guest.alive();
    assert.equal(await guest.page.locator('a[href="/audit"]').count(), 0, "a moderator sees no audit log");
    await view.go("/settings/admins");
    assert.ok(!(await page.content()).includes(link.split("=")[1]), "the link is shown once");
    await page.getByLabel("Role of Juma").selectOption("viewer");
    await page.getByText("Juma is Viewer now.").waitFor();
    await guest.go("/");
    assert.equal(await guest.page.locator('a[href="/conversations"]').count(), 0);
    await row(page, "Juma").getByRole("button", { name: "Sign out everywhere" }).click();
    await confirm(page, "Sign out everywhere");
    await page.getByText("Juma is signed out everywhere.").waitFor();
    await guest.go("/");
    await guest.page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
    await page.getByRole("button", { name: "Make a link" }).click();
    await row(page, "Moderator").getByRole("button", { name: "Take back" }).click();
    await page.getByText("The invitation is taken back.").waitFor();
    await row(page, "Juma").getByRole("button", { name: "Remove" }).click();
    assert.deepEqual(await view.axe(), [], "the question");
    await confirm(page, "Remove");
    await row(page, "Juma").waitFor({ state: "detached" });
    assert.deepEqual(place.node.admins.list().map(({ name }) => name), [OWNER.name]);
  },
);

inBrowser(
  "an API token is shown once, opens what its role may, and nothing once it is revoked",
  {},
  async (view, place) => {
    const { page } = view;
    await view.go("/settings/admins");
    await page.getByLabel("Name", { exact: true }).fill("prometheus");
    await page.getByRole("button", { name: "Make a token" }).click();
    const token = await page.getByRole("region", { name: "The token “prometheus”" }).locator("code").innerText();
    assert.equal(await status(place, token), 200);
    await row(page, "prometheus").getByRole("button", { name: "Revoke" }).click();
    await confirm(page, "Revoke");
    await page.getByText("There is no token.").waitFor();
    assert.equal(await status(place, token), 401);
  },
);

inBrowser("one's own account: name, password, a passkey that signs in, sessions", {}, async (view, place) => {
  const { page, context } = view;
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await view.go("/account");
  await page.getByLabel("Your name").fill("Neema wa Pwani");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("header").getByText("Neema wa Pwani").first().waitFor();
  await view.go("/account");
  await page.getByLabel("Name of the passkey").fill("phone");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByText("The passkey “phone” is added.").waitFor();
  await page.getByRole("button", { name: "Rename" }).click();
  await page.locator("li").getByLabel("Name of the passkey").fill("key ring");
  await page.locator("li").getByRole("button", { name: "Save" }).click();
  await page.getByText("Renamed.").waitFor();
  await page.getByLabel("Present password").fill("wrong wrong wrong");
  const next = "coral lantern umbrella";
  for (const label of ["New password", "New password, once more"]) {
    await page.getByLabel(label, { exact: true }).fill(next);
  }
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText("It did not work: The present password is wrong.").waitFor();
  await page.getByLabel("Present password").fill(OWNER.password);
  await page.getByRole("button", { name: "Change the password" }).click();
  await page.getByText(/The password is changed/).waitFor();
  await view.go("/account");
  await page.getByText("this browser").waitFor();
  await page.getByRole("button", { name: "Sign out everywhere" }).click();
  await confirm(page, "Sign out everywhere").catch(() => {}); // the page goes away meanwhile
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await view.alive();
  await page.getByRole("button", { name: "Sign in with a passkey" }).click();
  await page.getByRole("heading", { level: 1, name: OVERVIEW }).waitFor();
  await view.go("/account");
  await row(page, "key ring").getByRole("button", { name: "Remove" }).click();
  await confirm(page, "Remove");
  await page.getByText("The passkey “key ring” is removed.").waitFor();
  const id = place.node.admins.list()[0].id;
  await place.node.admins.changePassword(id, next, OWNER.password); // as the next test signs in
  place.node.admins.rename(id, OWNER.name);
  assert.deepEqual(view.faults.splice(0).filter((fault) => !REFUSED.test(fault)), []);
});

inBrowser(
  "the audit log is narrowed down, opened, exported, and a change beside the node shows",
  {},
  async (view, place) => {
    const { page } = view;
    const { store, node } = place;
    for (let n = 0; n < 60; n++) {
      node.admins.note({ actor: "script", address: "192.0.2.1", action: "contact.add", target: `${n}`, detail: "" });
    }
    await view.go("/audit");
    await page.getByText(/^Unbroken: \d+ entries$/).waitFor();
    await page.getByRole("link", { name: "Older entries" }).click();
    await page.waitForURL(/before=\d+$/);
    await page.getByRole("link", { name: "Newest entries" }).click();
    await page.waitForURL(/\/audit\??$/);
    await view.alive();
    await page.getByText("Filter", { exact: true }).first().click();
    await page.getByLabel("Who").fill("script");
    await page.getByLabel("To what").fill("59");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL(/actor=script/);
    await view.alive();
    assert.equal(await page.locator("main ol > li").count(), 1);
    await page.locator("main ol summary").click();
    const [newest] = store.audit.list({ actor: "script" }, 1);
    await page.locator("main ol dl").getByText(newest.hash).waitFor();
    assert.deepEqual(await view.axe(), [], "with an entry open");
    const href = await page.getByRole("link", { name: "Export as JSON lines" }).getAttribute("href");
    const lines = await page.evaluate(async (href) => await (await fetch(`${href}`)).text(), href);
    assert.deepEqual(lines.trim().split("\n").map((line) => JSON.parse(line).target), ["59"]);
    const hourAgo = new Date(Date.now() - 3_600_000).toLocaleString("sv", { timeZone: "Africa/Nairobi" }).slice(0, 16);
    await page.getByLabel("To what").fill("");
    await page.getByLabel("Until").fill(hourAgo.replace(" ", "T"));
    await page.getByRole("button", { name: "Filter" }).click();
    await page.getByText("No entry fits.").waitFor();
  },
);

end();
