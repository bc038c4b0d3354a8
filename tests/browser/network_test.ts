/** The network page in a real Chromium, over a node that another real node is connected with. */

import assert from "node:assert/strict";
import { parseConfig } from "../../core/config.ts";
import { writeVcard } from "../../core/messaging/vcard.ts";
import { Node } from "../../core/node.ts";
import { ownAddresses } from "../../core/node_interfaces.ts";
import { databasePath } from "../../core/store/places.ts";
import { openStore } from "../../core/store/store.ts";
import { testIdentity } from "../support/people.ts";
import { type Console, openConsole } from "./console.ts";
import { browserTests } from "./in_browser.ts";

const { inBrowser, end } = browserTests(withPeer);

/** A console whose node has a contact: another node, called Zuri, on the same machine. */
async function withPeer(): Promise<Console> {
  const place = await openConsole();
  const folder = await Deno.makeTempDir({ prefix: "kituo-peer-" });
  const address = ownAddresses().find((ip) => !ip.includes(":")) ?? "127.0.0.1";
  const [{ port }] = place.node.network.state().ports;
  const args = ["--data", folder, "--bootstrap", `${address}:${port}`, "--dht-port", "0", "--name-server", "none"];
  const config = parseConfig(args, () => undefined, () => undefined);
  const identity = await testIdentity(Date.now());
  const peer = new Node(config, identity, openStore(databasePath(folder)), writeVcard("Zuri"));
  await peer.start();
  const connected = new Promise<void>((resolve) => {
    const off = place.node.subscribe((event) => {
      if (event.type === "request" && event.data.jamiId === identity.account) {
        place.node.acceptRequest(event.data.id).catch((error) => console.error(error));
      }
      if (event.type !== "presence" || place.node.network.connections({ limit: 1 }).items.length === 0) return;
      off();
      resolve();
    });
  });
  await peer.addContact(place.demo.identity.account);
  await connected;
  const dispose = place[Symbol.asyncDispose].bind(place);
  return Object.assign(place, {
    async [Symbol.asyncDispose]() {
      await peer.stop();
      await dispose();
      await Deno.remove(folder, { recursive: true });
    },
  });
}

for (const scheme of ["light", "dark"] as const) {
  inBrowser(
    `connections, DHT and ports are told, and axe finds nothing serious, ${scheme}`,
    { scheme },
    async (view, { node }) => {
      await view.go("/network");
      const { page } = view;
      const [connection] = node.network.connections({ limit: 1 }).items;
      const line = page.locator(`[data-connection="${connection.id}"]`);
      await line.getByText(connection.remote).waitFor();
      await line.getByText("TLSv1.3").waitFor();
      for (const { port } of node.network.state().ports) {
        await page.getByText(`${port}`, { exact: false }).first().waitFor();
      }
      assert.deepEqual(await view.axe(), []);
    },
  );
}

inBrowser("the test of who can reach the node tells what was seen, and what to do", {}, async (view, { store }) => {
  const { page } = view;
  await view.go("/network");
  await page.getByRole("button", { name: "Test my reachability" }).click();
  await page.getByText("Testing; this takes up to a minute").waitFor();
  const check = (id: string) => page.locator(`[data-check="${id}"]`);
  await check("udp-out").waitFor({ timeout: 70_000 });
  assert.equal(await check("udp-out").getAttribute("data-verdict"), "good");
  // the only peer is on this machine: that is no proof of anything outside, and is not called one
  assert.equal(await check("tcp-in").getAttribute("data-verdict"), "unknown");
  assert.match(await check("tcp-in").innerText(), /says nothing of the world outside|nothing shows it|none answered/);
  assert.match(await check("tcp-port").innerText(), /Set --peer-port \d+/);
  assert.deepEqual(await view.axe(), []);
  assert.equal(store.audit.list({ action: "network.test" }, 1)[0].actor, "Neema");
  await view.go("/network");
  await check("udp-out").waitFor();
});

inBrowser(
  "one connection is closed by click, after a question, and the audit trail tells whose it was",
  {},
  async (view, { node, store }) => {
    const { page } = view;
    await view.go("/network");
    const [{ id, jamiId, deviceId }] = node.network.connections({ limit: 1 }).items;
    const line = page.locator(`[data-connection="${id}"]`);
    await line.getByRole("button", { name: /^Close the connection with/ }).click();
    assert.deepEqual(await view.axe(), [], "the dialogue");
    await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();
    await line.waitFor({ state: "detached" });
    await page.getByText("The connection was closed.").waitFor();
    assert.ok(node.network.connections({ limit: 100 }).items.every((one) => one.id !== id));
    const [entry] = store.audit.list({ action: "connection.close" }, 1);
    assert.deepEqual([entry.actor, entry.target], ["Neema", `${jamiId} ${deviceId}`]);
  },
);

end();
