/** The whole set-up of a node, as its owner sees it: by passkey and by password, with an account brought along. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { CDPSession } from "playwright-core";
import type { ContactInfo, NodeInfo } from "../../core/node_api.ts";
import { JamiDaemon } from "../interop/driver/daemon.ts";
import { KituoProcess } from "../interop/driver/kituo.ts";
import { Network } from "../interop/driver/network.ts";
import { missing } from "../interop/driver/requirements.ts";
import { pngOf } from "../support/png.ts";
import { type Look, openBrowser, type Window } from "./console.ts";
import { forward, setupSecret } from "./driven.ts";
import { NO_BROWSER } from "./in_browser.ts";

const unfit = NO_BROWSER !== null || (await missing()).length > 0;

/** What the browser itself says while the node starts again, and of answers that are no success. */
const EXPECTED = /status of (401|403|409|422|503)/;

/** Where screenshots of the set-up go; "" = nobody wants any. */
const PICTURES = Deno.env.get("KITUO_PICTURES") ?? "";

interface Scene {
  network: Network;
  kituo: KituoProcess;
  view: Window;
  /** axe finds nothing serious on what is shown */
  sound(what: string): Promise<void>;
}

/** A test with a fresh node, and a window on its set-up link. */
function onFreshNode(name: string, look: Look, test: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name,
    ignore: unfit,
    // reason: Playwright keeps its connection to the browser's process until it is gone
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await using network = await Network.up();
      await using kituo = await KituoProcess.start(network);
      await using place = forward(kituo);
      await using view = await openBrowser(place.url, look);
      await view.go(`/setup?secret=${await setupSecret(kituo)}`);
      const sound = async (what: string) => {
        assert.deepEqual(await view.axe(), [], what);
        const wide = await view.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${what} is ${wide} pixels too wide`);
        if (!PICTURES) return;
        const path = `${PICTURES}/setup-${what}-${look.scheme ?? "light"}${look.phone ? "-phone" : ""}.png`;
        await view.page.screenshot({ path, fullPage: true });
      };
      await test({ network, kituo, view, sound });
      assert.deepEqual(view.faults.filter((fault) => !EXPECTED.test(fault)), []);
    },
  });
}

/** Until the page of a step is there and lives. */
async function atStep({ page, alive }: Window, title: string): Promise<void> {
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  await alive();
}

onFreshNode(
  "set up by passkey: named, pictured, open to a list; left in the middle, it goes on there",
  {},
  async (scene) => {
    const { view, kituo, sound } = scene;
    const { page } = view;
    const cdp: CDPSession = await view.context.newCDPSession(page);
    await cdp.send("WebAuthn.enable");
    const options = {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    } as const;
    await cdp.send("WebAuthn.addVirtualAuthenticator", { options });
    await sound("admin");
    await page.getByLabel("Your name").fill("Neema");
    await page.getByRole("button", { name: "Continue with a passkey" }).click();

    await atStep(view, "What is the node called?");
    await sound("node");
    await page.getByLabel("Name", { exact: true }).fill("Relay Pwani");
    const file = { name: "logo.png", mimeType: "image/png", buffer: pngOf(300, 200) };
    await page.locator("input[type=file]").setInputFiles(file);
    await page.locator("form img").waitFor();
    await page.getByRole("button", { name: "Continue" }).click();

    await atStep(view, "Which Jami account does it use?");
    await sound("account");
    // the machine is started again in the middle, and somebody comes back by the console's address
    await kituo.stop();
    await kituo.start();
    await page.goto(new URL("/", page.url()).href);
    await atStep(view, "Which Jami account does it use?");
    await page.getByRole("link", { name: "Back" }).click();
    await atStep(view, "What is the node called?");
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Relay Pwani");
    await page.goto(new URL("/setup", page.url()).href);
    await atStep(view, "Which Jami account does it use?");
    await page.getByRole("button", { name: "Continue" }).click();

    await atStep(view, "Whom does the node let in?");
    await page.getByRole("radio", { name: "People on my list at once" }).check();
    await page.getByLabel("Jami IDs on the list").fill(`jami:${"AB".repeat(20)}\nnobody`);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("“nobody” is not a Jami ID").waitFor();
    await sound("policy");
    await page.getByLabel("Jami IDs on the list").fill(`jami:${"AB".repeat(20)}`);
    await page.getByRole("button", { name: "Continue" }).click();

    await atStep(view, "The node is ready");
    await sound("ready");
    assert.equal(await page.locator("[data-jami-id]").textContent(), kituo.jamiId);
    await page.getByRole("img", { name: /QR code/ }).waitFor();
    await page.getByRole("button", { name: "Go to the console" }).click();
    await page.waitForURL(/:\d+\/$/);
    await page.getByRole("link", { name: "Overview" }).first().waitFor();
    await page.goto(new URL("/add", page.url()).href);
    await page.getByText(kituo.jamiId).waitFor();

    const settings = JSON.parse(await Deno.readTextFile(`${kituo.data}/kituo.json`));
    assert.deepEqual(
      [settings.name, settings.acceptRequests, settings.allowlist],
      ["Relay Pwani", "allowlist", ["ab".repeat(20)]],
    );
    assert.equal((await Deno.stat(settings.picture)).mode! & 0o777, 0o600);
    assert.equal((await kituo.api<NodeInfo>("GET", "/node")).name, "Relay Pwani");
  },
);

onFreshNode("set up by password on a phone in the dark: weak ones are refused in words", {
  phone: true,
  scheme: "dark",
}, async (scene) => {
  const { view, sound } = scene;
  const { page } = view;
  await page.getByLabel("Your name").fill("Neema");
  await page.getByLabel("Password").fill("password123456");
  await page.getByRole("button", { name: "Continue with this password" }).click();
  await page.getByRole("alert").filter({ hasText: /\w/ }).first().waitFor();
  await sound("refused");
  await page.getByLabel("Password").fill("zebra monsoon ladder");
  await page.getByRole("button", { name: "Continue with this password" }).click();
  for (const title of ["What is the node called?", "Which Jami account does it use?", "Whom does the node let in?"]) {
    await atStep(view, title);
    await sound(title.replaceAll(/\W+/g, "-"));
    await page.getByRole("button", { name: "Continue" }).click();
  }
  await atStep(view, "The node is ready");
  await sound("ready");
  await page.getByRole("button", { name: "Go to the console" }).click();
  await page.waitForURL(/:\d+\/$/);
});

onFreshNode(
  "a real daemon's archive is imported with progress: the node is one more device of its account",
  {},
  async (scene) => {
    const { view, kituo, network, sound } = scene;
    const { page } = view;
    const alice = await JamiDaemon.start(network, "alice");
    await using _alice = alice;
    await alice.createAccount("alice", { password: "chai na mandazi" });
    await alice.waitRegistered();
    const path = await alice.exportArchive(`${network.folder}/export.gz`, "chai na mandazi");
    const [before] = [kituo.jamiId];
    await page.getByLabel("Your name").fill("Neema");
    await page.getByLabel("Password").fill("zebra monsoon ladder");
    await page.getByRole("button", { name: "Continue with this password" }).click();
    await atStep(view, "What is the node called?");
    await page.getByRole("button", { name: "Continue" }).click();
    await atStep(view, "Which Jami account does it use?");
    await page.getByRole("radio", { name: "An account that I have" }).check();
    await page.getByRole("button", { name: "Import the account" }).click();
    await page.getByText("Choose the archive first.").waitFor();
    await page.getByLabel("Archive of the account").setInputFiles({
      name: "export.gz",
      mimeType: "application/gzip",
      buffer: Buffer.from(await Deno.readFile(path)),
    });
    await page.getByLabel("Password of the archive").fill("wrong");
    await page.getByRole("button", { name: "Import the account" }).click();
    await page.getByText("The password is wrong.").waitFor();
    assert.equal((await kituo.api<NodeInfo>("GET", "/node")).jamiId, before);
    await sound("wrong-password");
    await page.getByLabel("Password of the archive").fill("chai na mandazi");
    await page.getByRole("button", { name: "Import the account" }).click();
    await page.getByRole("progressbar").waitFor();
    await sound("importing");
    await page.getByText("This node is now a device of your account.").waitFor({ timeout: 90_000 });
    await page.getByText(alice.uri).waitFor();
    await sound("imported");
    await page.getByRole("button", { name: "Continue" }).click();
    await atStep(view, "Whom does the node let in?");
    await page.getByRole("button", { name: "Continue" }).click();
    await atStep(view, "The node is ready");
    assert.equal(await page.locator("[data-jami-id]").textContent(), alice.uri);
    // the daemon hears of it, and it is the same after a restart
    await kituo.waitReady();
    const { deviceId } = await kituo.api<NodeInfo>("GET", "/node");
    await alice.until("the new device", async () => deviceId in await alice.devices());
    await kituo.stop();
    await kituo.start();
    assert.equal(kituo.jamiId, alice.uri);
    assert.ok((await kituo.api<{ contacts: ContactInfo[] }>("GET", "/contacts")).contacts);
  },
);
