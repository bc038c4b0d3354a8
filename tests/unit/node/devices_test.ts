import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../../core/base/clock.ts";
import { type Archive, readArchive } from "../../../core/identity/archive.ts";
import { saveArchive } from "../../../core/identity/storage.ts";
import { NodeError, type NodeFault } from "../../../core/node_api.ts";
import { NodeDevices } from "../../../core/node_devices.ts";
import { peerOf, secondDevice, testIdentity } from "../../support/people.ts";
import { withWorld } from "../relay/world.ts";

const [alice, bob] = await Promise.all([1, 2].map(() => testIdentity(Date.now())));
const other = await secondDevice(alice, Date.now());
const doer = { actor: "Neema", address: "" };

function refused(fault: NodeFault, run: Promise<unknown>): Promise<void> {
  return assert.rejects(run, (error) => error instanceof NodeError && error.fault === fault);
}

Deno.test("own devices of a node: seen without the archive, revoked and handed out with it and its password", () =>
  withWorld(async (world) => {
    const { relay, store } = await world.node(alice, false);
    const dir = await Deno.makeTempDir();
    try {
      const devices = new NodeDevices({ dir, identity: alice, store, relay, clock: systemClock, name: () => "First" });
      relay.account.certificates.remember(peerOf(other));
      relay.account.contacts.remove(bob.account, true);
      const { devices: all, hasPassword } = await devices.list();
      assert.deepEqual(all.map(({ deviceId, thisOne }) => [deviceId, thisOne]), [[alice.device, true], [
        other.device,
        false,
      ]]);
      assert.match(all[1].name, /^Device [0-9a-f]{8}$/, "a name is never blank");
      assert.equal(hasPassword, false);
      await refused("conflict", devices.revoke(other.device, "", doer));
      await refused("conflict", devices.export("", "", doer));

      const archive: Archive = {
        accountKey: alice.accountKey,
        accountChain: alice.chain.slice(1),
        caKey: null,
        ethereumKey: null,
        revocations: null,
        contacts: {},
        conversations: {},
        conversationRequests: {},
        settings: {},
      };
      await saveArchive(dir, archive, "nywila");
      assert.equal((await devices.list()).hasPassword, true);
      await refused("forbidden", devices.revoke(other.device, "", doer));
      await refused("forbidden", devices.export("x", "", doer));
      await refused("not found", devices.revoke("0".repeat(64), "nywila", doer));
      const after = await devices.revoke(other.device, "nywila", doer);
      assert.deepEqual(after.devices.map(({ revoked }) => revoked), [false, true]);
      await refused("conflict", devices.revoke(other.device, "nywila", doer));
      const handed = await readArchive(await devices.export("nywila", "mpya", doer), "mpya");
      assert.equal(handed.contacts[bob.account].banned, true);
      assert.ok(handed.revocations?.revokes(other.chain[0]));
      const kept = await readArchive(await Deno.readFile(join(dir, "archive.gz")), "nywila");
      assert.ok(kept.revocations?.revokes(other.chain[0]));
      const actions = store.audit.list({}, 10).map(({ action }) => action);
      assert.deepEqual(actions.filter((action) => /device|account/.test(action)).sort(), [
        "account.export",
        "device.revoke",
      ]);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }));
