import assert from "node:assert/strict";
import { systemClock } from "../../../core/base/clock.ts";
import { type Bytes, concat, utf8 } from "../../../core/base/bytes.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { certificateKeys, certificateValue } from "../../../core/dht/certificate_value.ts";
import { type Archive, ArchiveError, formatArchive, readArchive } from "../../../core/identity/archive.ts";
import { type Identity, newDevice } from "../../../core/identity/identity.ts";
import { formatLinkUri, linkCode, parseLinkUri } from "../../../core/identity/link_uri.ts";
import { encodeLink } from "../../../core/messaging/link_channel.ts";
import { LINK_CODE_TRIES, LINK_PATIENCE_MS } from "../../../core/relay/constants.ts";
import { NewDevice, type NewDeviceStage, NotLinked } from "../../../core/relay/link_new.ts";
import { LinkError, LinkSource, type LinkStage } from "../../../core/relay/link_source.ts";
import { ConnectionManager } from "../../../core/transport/connection_manager.ts";
import type { Channel } from "../../../core/transport/channel.ts";
import { connectionPair, type MemoryConnection } from "../../support/channel_pair.ts";
import { DhtTable } from "../../support/dht_table.ts";
import { peerOf, until } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { vector } from "../identity/vectors.ts";
import { NOW } from "./support.ts";

const archive: Archive = await readArchive(vector("archive-nopassword.gz"));
const json = formatArchive(archive);
const now = Date.now();
const [throwAway, source] = await Promise.all([1, 2].map(() => newDevice(archive, now)));
const UNTOLD = formatLinkUri({ device: throwAway.device, code: "123456" });

/** A new device in a world of its own, and what it tells. */
function newDeviceIn(table: DhtTable, passwords: (string | null)[]) {
  const stages: NewDeviceStage[] = [];
  const shown = Promise.withResolvers<string>();
  const device = new NewDevice({
    dht: Object.assign(table, { status: "connected" as const, on: () => () => {} }),
    clock: systemClock,
    random: systemRandom,
    peerPort: 0,
    addresses: () => ["127.0.0.1"],
    publicAddresses: () => [],
    password: () => Promise.resolve(passwords.shift() ?? null),
    onStage: (stage) => {
      stages.push(stage);
      if (stage.stage === "waiting") shown.resolve(stage.uri);
    },
  }, throwAway);
  return { stages, uri: shown.promise, linked: device.run() };
}

/** The connections of a device of the account. */
function sourceIn(table: DhtTable, identity: Identity) {
  const keys = certificateKeys(identity.key.publicKey).map((key) =>
    table.keep(key, certificateValue(identity.chainPem))
  );
  const connections = new ConnectionManager({
    identity,
    dht: table,
    clock: systemClock,
    random: systemRandom,
    port: 0,
    addresses: () => ["127.0.0.1"],
    publicAddresses: () => [],
    certificates: { byKey: () => Promise.resolve(throwAway.chain) },
    seen: { has: () => false, add: () => {} },
    allow: () => true,
    accept: () => null,
    revocations: () => [],
  });
  connections.start();
  return { connections, close: () => (keys.forEach((key) => key.stop()), connections.stop()) };
}

/** Links over real connections; what the source has told. */
async function linked(password: string, typed: string[]) {
  const table = new DhtTable(systemClock);
  const fresh = newDeviceIn(table, typed);
  fresh.linked.catch(() => {}); // the caller waits for it later
  const { connections, close } = sourceIn(table, source);
  const linking = new LinkSource({
    clock: systemClock,
    find: () => Promise.resolve(throwAway.chain),
    connect: (key) => connections.connect(key),
    hasPassword: () => Promise.resolve(password !== ""),
    archive: (given) => given === password ? Promise.resolve(json) : Promise.reject(new ArchiveError("wrong password")),
  });
  const stages: LinkStage[] = [];
  linking.on("stage", (stage) => {
    stages.push(stage);
    if (stage.stage === "confirm") linking.confirm();
  });
  linking.start(await fresh.uri);
  const result = await fresh.linked.catch((error: unknown) => error);
  await until("the source is done", () => ["done", "failed"].includes(linking.stage.stage));
  await close();
  table.close();
  return { result, stages, news: fresh.stages };
}

const names = (stages: { stage: string }[]) => stages.map(({ stage }) => stage);

Deno.test("a device is linked: its address, the confirmation, the archive with what is in it", async () => {
  const { result, stages, news } = await linked("", []);
  assert.ok(!(result instanceof Error), String(result));
  const { archive: got, password } = result as { archive: Archive; password: string }; // reason: anything else was an Error
  assert.equal(got.accountKey.publicKey.id, source.account);
  assert.deepEqual(got.contacts, archive.contacts);
  assert.equal(password, "");
  assert.deepEqual(names(stages), ["connecting", "confirm", "password", "sending", "done"]);
  assert.deepEqual(names(news), ["waiting", "connected", "receiving"]);
  assert.deepEqual(news[1], { stage: "connected", account: source.account });
});

Deno.test("a device is linked with the account's password, at the third try", async () => {
  const { result, stages } = await linked("nywila", ["a", "b", "nywila"]);
  assert.equal((result as { password: string }).password, "nywila");
  assert.deepEqual(stages.flatMap((stage) => "tries" in stage ? [stage.tries] : []), [3, 2, 1]);
});

Deno.test("three wrong passwords end it on both sides", async () => {
  const { result, stages } = await linked("nywila", ["a", "b", "c", "nywila"]);
  assert.ok(result instanceof NotLinked && /too often/.test(result.message));
  assert.deepEqual(stages.at(-1), { stage: "failed", failure: "password" });
});

Deno.test("who guesses the code is heard no more, and the person is told", async () => {
  const table = new DhtTable(systemClock);
  const fresh = newDeviceIn(table, []);
  const refused = assert.rejects(fresh.linked, (error) => error instanceof NotLinked && /guesses/.test(error.message));
  const { connections, close } = sourceIn(table, source);
  const connection = await connections.connect(throwAway.key.publicKey);
  await assert.rejects(connection.open("git://x"));
  for (let n = 0; n < LINK_CODE_TRIES; n++) await assert.rejects(connection.open(`auth:${n}`));
  await refused;
  await close();
  table.close();
});

/** Plays one end by hand against a source in virtual time. */
async function withSource(
  test: (given: {
    linking: LinkSource;
    clock: VirtualClock;
    /** The new device's end of the channel, once it is open. */
    theirs: () => Promise<Channel>;
  }) => Promise<void>,
): Promise<void> {
  const clock = new VirtualClock(NOW);
  const opened = Promise.withResolvers<Channel>();
  const [mine, theirs]: [MemoryConnection, MemoryConnection] = connectionPair(peerOf(source), peerOf(throwAway));
  theirs.accept = () => opened.resolve;
  const linking = new LinkSource({
    clock,
    find: () => Promise.resolve(throwAway.chain),
    connect: () => Promise.resolve(mine),
    hasPassword: () => Promise.resolve(true),
    archive: () => Promise.reject(new ArchiveError("wrong password")),
  });
  await test({ linking, clock, theirs: () => opened.promise });
  linking.stop();
}

Deno.test("a source gives nothing before it is confirmed, and ends after five minutes", () =>
  withSource(async ({ linking, clock, theirs }) => {
    linking.start(UNTOLD);
    assert.throws(() => linking.confirm(), LinkError);
    assert.throws(() => linking.start(UNTOLD), LinkError);
    assert.ok(linking.isLinking(throwAway.device));
    const channel = await theirs();
    const writer = channel.writable.getWriter();
    await writer.write(encodeLink({}));
    await until("it waits to be confirmed", () => linking.stage.stage === "confirm");
    await writer.write(encodeLink({ password: "x" }));
    const heard = Array.fromAsync(channel.readable);
    await clock.advance(LINK_PATIENCE_MS + 1);
    await until("it ended", () => linking.stage.stage === "failed");
    assert.deepEqual(linking.stage, { stage: "failed", failure: "timeout" });
    assert.deepEqual(concat(...await heard), encodeLink({ stateMsg: "TIMEOUT" }));
    assert.ok(!linking.isLinking(throwAway.device));
    assert.throws(() => linking.cancel(), LinkError);
  }));

Deno.test("garbage, floods and other schemes end a source, and it can be started again", async () => {
  const hostile: Bytes[] = [
    utf8("GET / HTTP/1.1\r\n"),
    new Uint8Array([0xdb, 0x7f, 0xff, 0xff, 0xff]),
    new Uint8Array([0x81, 0xa8, ...utf8("schemeId"), 0x07]),
    concat(...Array(20_000).fill(encodeLink({ password: "x" })).slice(0, 1), new Uint8Array([0xc1])),
    encodeLink({ password: "x".repeat(20_000) }),
  ];
  for (const bytes of hostile) {
    await withSource(async ({ linking, theirs }) => {
      linking.start(UNTOLD);
      const channel = await theirs();
      await channel.writable.getWriter().write(bytes);
      await until("it ended", () => linking.stage.stage === "failed" || linking.stage.stage === "confirm");
      if (linking.stage.stage === "confirm") linking.confirm();
      await until("it failed", () => linking.stage.stage === "failed");
      assert.deepEqual(linking.stage, { stage: "failed", failure: "protocol" });
      await until("it is free again", () => !linking.isLinking(throwAway.device));
      linking.start(UNTOLD);
    });
  }
});

Deno.test("cancelled by the admin, or by the new device", async () => {
  await withSource(async ({ linking, theirs }) => {
    linking.start(UNTOLD);
    await theirs();
    linking.cancel();
    await until("it ended", () => linking.stage.stage === "failed");
    assert.deepEqual(linking.stage, { stage: "failed", failure: "canceled" });
  });
  await withSource(async ({ linking, theirs }) => {
    linking.start(UNTOLD);
    await (await theirs()).writable.getWriter().write(encodeLink({ stateMsg: "CANCELED" }));
    await until("it ended", () => linking.stage.stage === "failed");
    assert.deepEqual(linking.stage, { stage: "failed", failure: "canceled" });
  });
});

Deno.test("without network the new device says so, and gives up after five minutes with the reason", async () => {
  const clock = new VirtualClock(now);
  const stages: NewDeviceStage[] = [];
  const device = new NewDevice({
    dht: Object.assign(new DhtTable(clock), { status: "connecting" as const, on: () => () => {} }),
    clock,
    random: systemRandom,
    peerPort: 0,
    addresses: () => ["127.0.0.1"],
    publicAddresses: () => [],
    password: () => Promise.resolve(null),
    onStage: (stage) => void stages.push(stage),
  }, throwAway);
  const refused = assert.rejects(
    device.run(),
    (error) => error instanceof NotLinked && /--bootstrap/.test(error.message),
  );
  await clock.advance(LINK_PATIENCE_MS + 1);
  await refused;
  assert.ok(stages.filter(({ stage }) => stage === "network").length > 3);
});

Deno.test("addresses of new devices", () => {
  const device = "a".repeat(64);
  assert.deepEqual(parseLinkUri(` ${formatLinkUri({ device, code: "123456" })}\n`), { device, code: "123456" });
  for (
    const uri of ["", device, `jami-auth://${device}/12345`, `jami-auth://${device}/012345`, `x${UNTOLD}`, `${UNTOLD}7`]
  ) {
    assert.equal(parseLinkUri(uri), null);
  }
  assert.equal(linkCode(0), "100000");
  assert.equal(linkCode(0.9999999999), "999999");
});
