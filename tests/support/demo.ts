/** A data folder with people who talk, made by the code that real conversations are made by: for the browser tests and screenshots. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Archive } from "../../core/identity/archive.ts";
import { saveIdentity } from "../../core/identity/storage.ts";
import { conversationsPath, databasePath, identityPath } from "../../core/store/places.ts";
import { openStore, type Store } from "../../core/store/store.ts";
import { Conversations } from "../../core/relay/conversations.ts";
import { writeVcard } from "../../core/messaging/vcard.ts";
import type { Conversation } from "../../core/swarm/conversation.ts";
import { invite, updateProfile } from "../../core/swarm/write_members.ts";
import { writeEdit, writeMessage, writeReaction, writeText } from "../../core/swarm/write_messages.ts";
import type { WriteContext, Written } from "../../core/swarm/write.ts";
import { allOf } from "../unit/relay/support.ts";
import { type TestIdentity, testIdentity } from "./people.ts";
import { VirtualClock } from "./virtual_clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Somebody with a node of their own. */
interface Participant {
  name: string;
  identity: TestIdentity;
  store: Store;
  conversations: Conversations;
}

/** What the folder holds. */
export interface Demo {
  identity: TestIdentity;
  /** the group with most in it */
  group: string;
  /** ids of contact requests and of an invitation */
  requests: string[];
}

const NAMES = ["Amina Juma", "Baraka Otieno", "Chiara Rossi", "Daudi Mwangi", "Élodie Martin"];

const TALK = [
  "Good morning! Did everybody get the map for Saturday?",
  "Yes, thank you. I only have signal at the ferry, so do not wait for my answer.",
  "Who brings the water? We need about twelve litres.",
  "I can bring six.",
  "Then I take the rest. Meeting at the old station at seven?",
  "Seven is early for the Mombasa people …",
  "Half past seven, then. The path is shady until ten anyway.",
  "I checked the bridge this morning: it is open again, but only one at a time.\nPlease tell the others.",
  "👍 done",
  "The weather report says dry until Sunday evening.",
];

const GROUPS = [
  "Neighbourhood watch",
  "Chess club",
  "Harambee committee",
  "Ferry timetable",
  "Parents of class 4b",
  "Radio amateurs",
  "Bakery shifts",
];

/** Fills an empty data folder; everything ends shortly before `now`. @param entries texts in the large group */
export async function makeDemo(data: string, now: number, entries = 120): Promise<Demo> {
  const clock = new VirtualClock(now - 35 * HOUR);
  const [identity, ...identities] = await Promise.all(
    ["Kituo", ...NAMES].map(() => testIdentity(now - 30 * 24 * HOUR)),
  );
  await saveIdentity(identityPath(data), identity, archiveOf(identity));
  const kituo = open("Kituo", identity, conversationsPath(data), databasePath(data), clock);
  const aside = await Deno.makeTempDir({ prefix: "kituo-demo-" });
  const people: Participant[] = [];
  try {
    for (const [i, person] of identities.entries()) {
      const dir = join(aside, `${i}`);
      await Deno.mkdir(dir);
      people.push(open(NAMES[i], person, join(dir, "conversations"), join(dir, "kituo.db"), clock));
    }
    for (const { conversations } of [kituo, ...people]) await conversations.start();
    people.forEach(({ name, identity: { account } }) =>
      kituo.store.profiles.put({ account, name, vcard: writeVcard(name), modified: 0, received: clock.now() })
    );
    for (const [i, title] of GROUPS.entries()) {
      await smallGroup(kituo, people[i % people.length], title, clock, 3 + i * 2);
    }
    const group = await makeGroup(kituo, people, clock, entries);
    await clock.advance(Math.max(0, now - clock.now()));
    const requests = addRequests(kituo.store, now);
    lagging(kituo.store, group, people, now);
    return { identity, group: group.id, requests };
  } finally {
    for (const { conversations, store } of [kituo, ...people]) {
      await conversations.stop();
      store.close();
    }
    await Deno.remove(aside, { recursive: true });
  }
}

/** The archive of a node that was made here: without a password, and nothing in it but the account. */
function archiveOf({ accountKey, chain }: TestIdentity): Archive {
  return {
    accountKey,
    accountChain: chain.slice(1),
    caKey: null,
    ethereumKey: null,
    revocations: null,
    contacts: {},
    conversations: {},
    conversationRequests: {},
    settings: {},
  };
}

function open(name: string, identity: TestIdentity, dir: string, database: string, clock: VirtualClock): Participant {
  const store = openStore(database);
  return {
    name,
    identity,
    store,
    conversations: new Conversations({ dir, store, identity, clock, displayName: () => name }),
  };
}

/** Writes one commit, `ms` later. @returns its id */
async function write(
  conversation: Conversation,
  clock: VirtualClock,
  ms: number,
  make: (context: WriteContext) => Promise<Written>,
): Promise<string> {
  await clock.advance(ms);
  const [{ id }] = await conversation.write(make);
  return id;
}

/** Joins a conversation by cloning it from whoever has it. */
async function clone(to: Participant, from: Conversation, inviter: string): Promise<Conversation> {
  to.conversations.want(from.id, inviter, from.facts.mode ?? 1);
  const conversation = await to.conversations.finishClone(from.id, await allOf(from));
  if (!conversation) throw new Error("the clone failed");
  await from.take(await allOf(conversation));
  return conversation;
}

/** The group of the screenshots: replies, edits, reactions, files, a split and its merge. */
async function makeGroup(kituo: Participant, people: Participant[], clock: VirtualClock, entries: number) {
  const [host] = people;
  const begun = await host.conversations.create({ mode: 1 });
  await write(
    begun,
    clock,
    MINUTE,
    (context) =>
      updateProfile(context, { title: "Saturday walk", description: "Up the hill and back before the heat" }),
  );
  const copies = [begun];
  for (const person of [kituo, ...people.slice(1)]) {
    await write(begun, clock, 2 * MINUTE, (context) => invite(context, person.identity.account));
    const copy = await clone(person, begun, host.identity.account);
    if (person !== kituo) copies.push(copy);
  }
  const here = kituo.conversations.get(begun.id);
  if (!here) throw new Error("the group is not here");
  const everywhere = async (conversation: Conversation) => {
    const all = await allOf(conversation);
    for (const other of [here, ...copies]) if (other !== conversation) await other.take(all);
  };
  const said: string[] = [];
  let last = begun;
  for (let n = 0; n < entries; n++) {
    const writer = copies[(n / 3 | 0) * 7 % copies.length];
    if (writer !== last) await writer.take(await allOf(last));
    last = writer;
    const text = n < entries - TALK.length ? `${TALK[n % TALK.length]} (${n + 1})` : TALK[n - entries + TALK.length];
    const replyTo = n % 9 === 4 ? said[n - 2] : undefined;
    said.push(await write(writer, clock, 7 * MINUTE, (context) => writeText(context, text, { replyTo })));
  }
  await everywhere(last);
  const at = (back: number) => said[said.length - back];
  await write(copies[1], clock, MINUTE, (context) => writeReaction(context, at(3), "👍"));
  await everywhere(copies[1]);
  await write(copies[2], clock, MINUTE, (context) => writeReaction(context, at(3), "🌞"));
  await everywhere(copies[2]);
  const own = await write(copies[3], clock, MINUTE, (context) => writeText(context, "The train comes at 9:15"));
  await write(copies[3], clock, MINUTE, (context) => writeEdit(context, own, "The train comes at 9:51, sorry"));
  await everywhere(copies[3]);
  const sha3 = createHash("sha3-512").update("map").digest("hex");
  await write(copies[0], clock, MINUTE, (context) =>
    writeMessage(context, {
      type: "application/data-transfer+json",
      displayName: "hill-path.gpx",
      tid: "8150043672331157",
      sha3sum: sha3,
      totalSize: "183204",
    }));
  await everywhere(copies[0]);
  // two write without hearing of each other
  await write(copies[1], clock, MINUTE, (context) => writeText(context, "Anyone else at the station already?"));
  await write(copies[4], clock, MINUTE, (context) => writeText(context, "My bus is ten minutes late."));
  await write(copies[4], clock, MINUTE, (context) => writeText(context, "Start without me, I catch up."));
  await here.take(await allOf(copies[1]));
  await here.take(await allOf(copies[4]));
  await write(here, clock, MINUTE, (context) => writeText(context, "Kituo is here, too."));
  return here;
}

async function smallGroup(kituo: Participant, host: Participant, title: string, clock: VirtualClock, texts: number) {
  const conversation = await host.conversations.create({ mode: texts % 4 === 1 ? 2 : 1 });
  await write(conversation, clock, HOUR, (context) => updateProfile(context, { title }));
  await write(conversation, clock, MINUTE, (context) => invite(context, kituo.identity.account));
  const copy = await clone(kituo, conversation, host.identity.account);
  for (let n = 0; n < texts; n++) {
    await write(conversation, clock, 11 * MINUTE, (context) => writeText(context, TALK[n % TALK.length]));
  }
  await copy.take(await allOf(conversation));
}

/** People who want to be contacts, and one invitation. */
function addRequests(store: Store, now: number): string[] {
  const asking = ["Fatuma Ali", "Gabriel N’Diaye", "Halima Said", ""];
  const ids = asking.map((name, i) => {
    const account = createHash("sha1").update(`asks ${i}`).digest("hex");
    const conversation = createHash("sha1").update(`one to one ${i}`).digest("hex");
    const payload = writeVcard(name);
    store.trustRequests.put({
      account,
      device: "d".repeat(64),
      conversation,
      payload,
      received: now - (i + 1) * 37 * MINUTE,
    });
    return account;
  });
  const conversation = createHash("sha1").update("an invitation").digest("hex");
  store.conversationRequests.put({
    conversation,
    from: createHash("sha1").update("inviter").digest("hex"),
    metadatas: { title: "Beach clean-up", mode: "1" },
    received: now - 12 * MINUTE,
    declined: 0,
  });
  return [...ids, conversation];
}

/** Two devices are behind, the others have everything. */
function lagging(store: Store, { id, head }: Conversation, people: Participant[], now: number): void {
  const latest = store.commits.latest(id, 4);
  people.forEach(({ identity: { device, account } }, i) =>
    store.ledger.set({
      conversation: id,
      device,
      account,
      heads: [i === 1 ? latest[latest.length - 1] : i === 3 ? latest[2] : head],
      at: now - i * 3 * HOUR,
    })
  );
}
