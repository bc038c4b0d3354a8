import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { concat, fromBase64, text, utf8 } from "../../../core/base/bytes.ts";
import { asBytes, decode } from "../../../core/base/msgpack.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { parseChannelName, writeChannelName } from "../../../core/messaging/channel_name.ts";
import { MAX_VCARD } from "../../../core/messaging/constants.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import { PROFILE_BURST, PROFILE_TIMEOUT_MS } from "../../../core/relay/constants.ts";
import { Profiles } from "../../../core/relay/profiles.ts";
import { ChannelDeclined } from "../../../core/transport/channel.ts";
import { type Accept, connectionPair } from "../../support/channel_pair.ts";
import { peerOf, secondDevice, until } from "../../support/people.ts";
import type { Connection } from "../../../core/transport/channel.ts";
import { FilesNode, frames } from "./files_support.ts";
import { alice, bob, carol, NOW, type Place, withPlaces } from "./support.ts";

const OURS = writeVcard("Kituo");

/** Those that are up when a profile changes. */
const connected: Connection[] = [];

function profilesOf(place: Place, vcard = OURS): Profiles {
  const { account, device } = alice;
  return new Profiles({ ...place, account, device, vcard, connections: () => connected });
}

/** A connection of a peer with Alice's node; both ends. */
function connect(profiles: Profiles, peer: Identity, accept: Accept = () => null) {
  const [theirs, ours] = connectionPair(peerOf(peer), peerOf(alice));
  ours.accept = (name) => {
    const wanted = parseChannelName(name);
    if (wanted.kind === "profile") return profiles.accept(wanted, ours);
    return wanted.kind === "profile-request" ? profiles.answer(wanted, ours) : null;
  };
  theirs.accept = accept;
  return { theirs, ours };
}

/** Runs `test` with the profiles of Alice's node, and a group with Bob, a member, and Carol, who is invited. */
function withProfiles(test: (profiles: Profiles, place: Place, conversation: string) => Promise<void>): Promise<void> {
  return withPlaces([alice], async (place) => {
    const node = new FilesNode(place);
    const { id } = await node.group();
    await node.files.stop();
    const profiles = profilesOf(place);
    await test(profiles, place, id);
    profiles.stop();
  });
}

/** A peer sends a profile, its own or what it likes, and waits until that is treated. */
async function push(profiles: Profiles, peer: Identity, name: string, ...chunks: Uint8Array[]): Promise<void> {
  const channel = await connect(profiles, peer).theirs.open(name);
  const writer = channel.writable.getWriter();
  for (const chunk of chunks) await writer.write(new Uint8Array(chunk)).catch(() => {}); // reason: it may be refused
  channel.close();
  await channel.closed;
}

Deno.test("profiles: the recorded one of 2023's daemon is taken in, under the account of its certificate", () =>
  withProfiles(async (profiles, { store }, id) => {
    const path = new URL("../../vectors/sync/profile-push.jsonl", import.meta.url);
    const rows = Deno.readTextFileSync(path).trim().split("\n").map((line) => JSON.parse(line));
    const recorded = parseChannelName(rows[0].control[0]);
    assert.equal(recorded.kind, "profile");
    const frame = decode(fromBase64(rows[2].frame_b64));
    assert(Array.isArray(frame));
    const received = profiles.once("received");
    await push(
      profiles,
      bob,
      writeChannelName({ kind: "profile", conversation: id, device: bob.device, version: null }),
      asBytes(frame[1], "frame"),
    );
    assert.equal((await received).account, bob.account);
    assert.equal(store.profiles.name(bob.account), "Alice Example");
    assert.equal(store.profiles.get(bob.account)?.vcard.length, 182);
  }));

Deno.test("profiles: an older one, an empty one and what is none leave the last as it is", () =>
  withProfiles(async (profiles, { store }, id) => {
    const version = (modified: number) => ({ sha3: "ab", modified });
    const name = (modified: number | null) =>
      writeChannelName({
        kind: "profile",
        conversation: id,
        device: carol.device,
        version: modified === null ? null : version(modified),
      });
    const shown = () => store.profiles.name(carol.account);
    await push(profiles, carol, name(100), writeVcard("Carol").slice(0, 20), writeVcard("Carol").slice(20));
    await until("it came", () => shown() === "Carol");
    await push(profiles, carol, name(99), writeVcard("Carol of old"));
    await push(profiles, carol, name(null));
    await push(profiles, carol, name(null), utf8("<html>"));
    await push(
      profiles,
      carol,
      name(null),
      writeVcard("Big"),
      ...Array.from({ length: 17 }, () => new Uint8Array(MAX_VCARD / 16)),
    );
    await push(profiles, carol, name(101), writeVcard("Caroline"));
    await until("the newer one came", () => shown() === "Caroline");
  }));

Deno.test("profiles: taken from members and invited only, each for itself, and not too often", () =>
  withProfiles(async (profiles, place, id) => {
    const stranger = await secondDevice(carol, NOW);
    const name = (device: string, conversation = id) =>
      writeChannelName({ kind: "profile", conversation, device, version: null });
    const { theirs } = connect(profiles, bob);
    await assert.rejects(theirs.open(name(carol.device)), ChannelDeclined, "in another one's name");
    await assert.rejects(theirs.open(name(bob.device, "c".repeat(40))), ChannelDeclined);
    place.conversations.get(id);
    const other = { ...peerOf(stranger), account: "d".repeat(40) };
    const [outside, inside] = connectionPair(other, peerOf(alice));
    inside.accept = (wanted) => {
      const parsed = parseChannelName(wanted);
      return parsed.kind === "profile" ? profiles.accept(parsed, inside) : null;
    };
    await assert.rejects(outside.open(name(other.device)), ChannelDeclined, "a stranger");
    for (let n = 0; n < PROFILE_BURST; n++) (await theirs.open(name(bob.device))).close();
    await assert.rejects(theirs.open(name(bob.device)), ChannelDeclined, "a flood");
    await place.clock.advance(60_000);
    (await theirs.open(name(bob.device))).close();
  }));

Deno.test("profiles: one that does not end is ended", () =>
  withProfiles(async (profiles, { clock, store }, id) => {
    const name = writeChannelName({ kind: "profile", conversation: id, device: bob.device, version: null });
    const channel = await connect(profiles, bob).theirs.open(name);
    await channel.writable.getWriter().write(writeVcard("Bob, cut off").slice(0, -1));
    await clock.advance(PROFILE_TIMEOUT_MS);
    await channel.closed;
    const named = profiles.once("received").then(() => store.profiles.name(bob.account));
    await push(profiles, bob, name, writeVcard("Bob"));
    assert.equal(await named, "Bob");
  }));

Deno.test("profiles: ours is given to each device once, until it changes; in the form that the peer knows", () =>
  withProfiles(async (profiles, place, id) => {
    const names: string[] = [];
    const got: string[] = [];
    let takes = false;
    const accept: Accept = (name) => {
      names.push(name);
      if (!takes) return null;
      return async (channel) => void got.push(text(concat(...await frames(channel))));
    };
    const { ours } = connect(profiles, bob, accept);
    await profiles.offer(ours, "sip");
    takes = true;
    await profiles.offer(ours, "sip");
    await profiles.offer(ours, "sip");
    const bare = `data-transfer://${id}/${alice.device}/profile.vcf`;
    assert.deepEqual(names, [bare, bare], "again after it was declined, and then no more");
    await until("it came", () => got.length === 1);
    assert.equal(got[0], text(OURS));

    const changed = profilesOf(place, writeVcard("Kituo 2"));
    await changed.offer(ours, "msg");
    const sha3 = createHash("sha3-512").update(writeVcard("Kituo 2")).digest("hex");
    const modified = Math.floor(place.clock.now() / 1000);
    assert.equal(names[2], `${bare}?sha3=${sha3}&modified=${modified}`);
    await place.clock.advance(5_000);
    const [again] = [profilesOf(place, writeVcard("Kituo 2"))];
    await again.offer(connect(again, await secondDevice(bob, NOW), accept).ours, "msg");
    assert.equal(names[3], names[2], "it changed when it changed, not at each start");
    await again.offer(ours, "msg");
    assert.equal(names.length, 4);

    again.change(writeVcard("Kituo 3"));
    await again.offer(connect(again, bob, accept).ours, "msg");
    await until("the changed one came", () => got.at(-1) === text(writeVcard("Kituo 3")));
    await again.offer(connect(again, bob, accept).ours, "msg");
    assert.equal(names.length, 5);

    connected.push(connect(again, bob, accept).ours);
    again.change(writeVcard("Kituo 4"));
    await until("who is connected has the new one", () => got.at(-1) === text(writeVcard("Kituo 4")));
    connected.length = 0;
    assert.equal(names.length, 6);
  }));

Deno.test("profiles: members may ask for ours, and our own devices for those of others", () =>
  withProfiles(async (profiles, { store, clock }, id) => {
    const name = (account: string) => writeChannelName({ kind: "profile-request", conversation: id, account });
    const answer = async (identity: Identity, account: string) => {
      const channel = await connect(profiles, identity).theirs.open(name(account));
      return text(concat(...await frames(channel)));
    };
    store.profiles.put({
      account: carol.account,
      name: "Carol",
      vcard: writeVcard("Carol"),
      modified: 0,
      received: clock.now(),
    });
    assert.equal(await answer(bob, alice.account), text(OURS));
    await assert.rejects(answer(bob, carol.account), ChannelDeclined);
    const tablet = await secondDevice(alice, NOW);
    assert.equal(await answer(tablet, carol.account), text(writeVcard("Carol")));
    assert.equal(await answer(tablet, bob.account), "", "no profile");
  }));
