/** Registered names with the real daemon: Kituo as the name server of daemons, and as a client of another Kituo's. */

import assert from "node:assert/strict";
import type { DBusValue } from "./driver/dbus_wire.ts";
import { JamiDaemon, SETTLE } from "./driver/daemon.ts";
import { errorsOf } from "./driver/evidence.ts";
import { ApiError, KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";

const PORT = 8080;

/** The daemon's status of a registration, and of a look-up. */
const REGISTERED = 0, TAKEN = 3;
const FOUND = 0, NOT_FOUND = 2;

interface Named {
  jamiId: string;
  registeredName: string;
}

interface Members {
  members: { jamiId: string; name: string; registeredName: string }[];
}

interface Trail {
  names: Named[];
}

interopTest("daemons register and find names at Kituo, and another Kituo does, too", async (t) => {
  await using network = await Network.up();
  await using server = await KituoProcess.start(network, "server", { args: ["--serve-names", `0.0.0.0:${PORT}`] });
  const url = `http://${server.host.address}:${PORT}`;
  await using alice = await named(network, "alice", url);
  await using bob = await named(network, "bob", url);

  await t.step("a daemon registers a name, once", async () => {
    assert.equal(await register(alice, "Asha_1"), REGISTERED);
    assert.deepEqual(await lookUp(bob, "lookupName", "asha_1"), [FOUND, alice.uri, "asha_1"]);
    assert.deepEqual(await lookUp(bob, "lookupAddress", alice.uri), [FOUND, alice.uri, "asha_1"]);
    assert.equal((await lookUp(bob, "lookupName", "nobody"))[0], NOT_FOUND);
    assert.equal((await lookUp(bob, "lookupAddress", bob.uri))[0], NOT_FOUND);
    assert.equal(await register(bob, "ASHA_1"), TAKEN);
    assert.equal(await register(bob, "juma"), REGISTERED);
    assert.deepEqual(
      (await server.api<Trail>("GET", "/name-server/names")).names.map(({ jamiId, registeredName }) => [
        registeredName,
        jamiId,
      ]),
      [["asha_1", alice.uri], ["juma", bob.uri]],
    );
  });

  await t.step("what a daemon sends holds only for its own name", async () => {
    const record = await (await fetch(`${url}/name/asha_1`)).json();
    const { addr, publickey, signature } = record;
    assert.deepEqual(record, { name: "asha_1", addr: alice.uri, publickey, signature });
    const post = async (name: string, body: object) => {
      const answer = await fetch(`${url}/name/${name}`, { method: "POST", body: JSON.stringify(body) });
      return [answer.status, (await answer.json()).success];
    };
    const body = { addr, owner: "0".repeat(40), signature, publickey };
    assert.deepEqual(await post("asha_2", body), [401, false]);
    assert.deepEqual(await post("asha_1", { ...body, addr: bob.uri }), [401, false]);
    assert.deepEqual(await post("asha_1", body), [200, true]); // she asks again
  });

  await using kituo = await KituoProcess.start(network, "kituo", {
    args: ["--name-server", url, "--offer-contact", "false"], // so that it is alice who asks, below
  });
  await kituo.waitReady();

  await t.step("another Kituo registers a name there, and the daemon finds it", async () => {
    assert.deepEqual(await kituo.api<Named>("POST", "/node/name", { name: "Kituo-Pwani" }), {
      jamiId: kituo.jamiId,
      registeredName: "kituo-pwani",
    });
    assert.deepEqual(await lookUp(alice, "lookupName", "kituo-pwani"), [FOUND, kituo.jamiId, "kituo-pwani"]);
    assert.deepEqual(await lookUp(alice, "lookupAddress", kituo.jamiId), [FOUND, kituo.jamiId, "kituo-pwani"]);
    assert.equal((await kituo.api<Named>("GET", "/node")).registeredName, "kituo-pwani");
    for (const name of ["another", "juma"]) await rejects(kituo.api("POST", "/node/name", { name }), 409);
  });

  await t.step("it resolves the names of daemons, and takes them in place of Jami IDs", async () => {
    assert.deepEqual(await kituo.api("GET", "/names/JUMA"), { jamiId: bob.uri, registeredName: "juma" });
    assert.deepEqual(await kituo.api("GET", `/addresses/${bob.uri}`), { jamiId: bob.uri, registeredName: "juma" });
    await rejects(kituo.api("GET", "/names/nobody"), 404);
    await rejects(kituo.api("POST", "/contacts", { registeredName: "nobody" }), 404);
    const contact = await kituo.api<Named>("POST", "/contacts", { registeredName: "juma" });
    assert.deepEqual([contact.jamiId, contact.registeredName], [bob.uri, "juma"]);
    await bob.acceptContact(kituo.jamiId);
    const { id } = await kituo.api<{ id: string }>("POST", "/conversations", { mode: "invites-only" });
    const member = await kituo.api<Named>("POST", `/conversations/${id}/members`, { registeredName: "ASHA_1" });
    assert.equal(member.jamiId, alice.uri);
    await alice.acceptGroup(id);
    await kituo.until("the names of the members", async () => {
      const { members } = await kituo.api<Members>("GET", `/conversations/${id}`);
      const names = members.map(({ jamiId, registeredName }) => [jamiId, registeredName].join(" ")).sort();
      assert.deepEqual(names, [`${alice.uri} asha_1`, `${kituo.jamiId} kituo-pwani`].sort());
      return true;
    });
  });

  await t.step("who asks to be a contact is shown by name", async () => {
    await alice.addContact(kituo.jamiId);
    await kituo.until("her request", async () => {
      const { requests } = await kituo.api<{ requests: Named[] }>("GET", "/requests");
      return requests.some(({ jamiId, registeredName }) => jamiId === alice.uri && registeredName === "asha_1");
    });
  });

  await t.step("the admin takes a name back; it outlives a crash, so does what was registered", async () => {
    await server.api("DELETE", "/name-server/names/juma");
    await rejects(server.api("DELETE", "/name-server/names/juma"), 404);
    await server.kill();
    await server.start();
    assert.equal((await fetch(`${url}/name/juma`).then(answered)).status, 404);
    assert.equal((await fetch(`${url}/name/asha_1`).then(answered)).status, 200);
  });

  for (const node of [server, kituo]) assert.deepEqual(await errorsOf(node), []);
});

/** A daemon whose account asks this name server. */
async function named(network: Network, name: string, url: string): Promise<JamiDaemon> {
  const daemon = await JamiDaemon.start(network, name);
  await daemon.createAccount(name, { details: { "RingNS.uri": url } });
  await daemon.waitRegistered({ settle: SETTLE });
  return daemon;
}

/** The daemon's status of registering a name. */
async function register(daemon: JamiDaemon, name: string): Promise<DBusValue> {
  const since = daemon.mark();
  await daemon.call("ConfigurationManager", "registerName", daemon.account, "", name);
  return (await daemon.waitEvent("nameRegistrationEnded", ([account]) => account === daemon.account, { since }))
    .args[1];
}

/** Status, Jami ID and name of a look-up. */
async function lookUp(daemon: JamiDaemon, method: string, question: string): Promise<DBusValue[]> {
  const since = daemon.mark();
  await daemon.call("ConfigurationManager", method, daemon.account, "", question);
  const about = ([account, , address, name]: DBusValue[]) =>
    account === daemon.account && (address === question || name === question);
  return (await daemon.waitEvent("registeredNameFound", about, { since })).args.slice(1);
}

async function answered(response: Response): Promise<Response> {
  await response.body?.cancel();
  return response;
}

async function rejects(request: Promise<unknown>, status: number): Promise<void> {
  await assert.rejects(request, (error) => error instanceof ApiError && error.status === status);
}
