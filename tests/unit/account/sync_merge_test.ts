import assert from "node:assert/strict";
import { MAX_SYNC_SKEW_MS } from "../../../core/account/constants.ts";
import { mergeSync, type SyncChanges } from "../../../core/account/sync_merge.ts";
import { readArchive } from "../../../core/identity/archive.ts";
import { archiveOfSync, syncOfArchive } from "../../../core/messaging/archive_records.ts";
import { decodeSync, EMPTY_SYNC, type SyncMessage } from "../../../core/messaging/sync_message.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import { vector as accountVector } from "../identity/vectors.ts";
import { mutate, vector } from "../messaging/support.ts";

const NOW = Date.parse("2026-11-29T12:00:00Z");
const [SELF, BOB, CAROL, ONE, TWO] = ["1", "b", "c", "d", "e"].map((digit) => digit.repeat(40));
const contact = { added: NOW - 9_500, removed: 0, confirmed: false, banned: false, conversation: "" };
const conversation = { created: NOW - 9_000, removed: 0, erased: 0, members: [BOB], lastDisplayed: "", today: null };

async function withStore(test: (store: Store) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const store = openStore(`${dir}/kituo.db`);
  try {
    await test(store);
  } finally {
    store.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const peers = (account: string, change = {}): SyncMessage => ({
  ...EMPTY_SYNC,
  deviceSync: { ...EMPTY_SYNC.deviceSync, peers: new Map([[account, { ...contact, ...change }]]) },
});
const about = (id: string, change = {}): SyncMessage => ({
  ...EMPTY_SYNC,
  conversations: new Map([[id, { ...conversation, ...change }]]),
});
const request = (id: string, change = {}): SyncMessage => ({
  ...EMPTY_SYNC,
  requests: new Map([[id, { from: BOB, metadatas: new Map([["mode", "2"]]), received: NOW, declined: 0, ...change }]]),
});

function merge(store: Store, message: SyncMessage): SyncChanges {
  const into = { store, self: SELF, now: NOW, isBefore: () => null };
  const changes = mergeSync(message, into);
  const again = Object.values(mergeSync(message, into)).flat();
  assert.deepEqual(again, [], "what was said once changes nothing the second time");
  return changes;
}

Deno.test("merge: of two states of a contact the later one counts, whichever comes first", () =>
  withStore((store) => {
    const ban = { added: contact.added, removed: NOW - 1_000, banned: true };
    assert.deepEqual(merge(store, peers(BOB)).contacts, [BOB]);
    assert.deepEqual(merge(store, peers(BOB, ban)).contacts, [BOB]);
    assert.ok(store.contacts.isBanned(BOB));
    assert.deepEqual(merge(store, peers(BOB)).contacts, [], "an old state does not lift a ban");
    assert.ok(store.contacts.isBanned(BOB));
    merge(store, peers(CAROL, ban));
    merge(store, peers(CAROL));
    assert.ok(store.contacts.isBanned(CAROL));
    assert.deepEqual(merge(store, peers(BOB, { added: NOW, confirmed: true })).contacts, [BOB]);
    assert.ok(store.contacts.isActive(BOB));
  }));

Deno.test("merge: a confirmation is taken over, also from a peer of 2023 that knows seconds only", () =>
  withStore((store) => {
    merge(store, peers(BOB));
    const seconds = Math.floor(contact.added / 1000) * 1000;
    assert.deepEqual(merge(store, peers(BOB, { added: seconds, confirmed: true })).contacts, [BOB]);
    assert.deepEqual(store.contacts.get(BOB), { ...contact, account: BOB, confirmed: true });
  }));

Deno.test("merge: what lies in the future, and we ourselves as a contact, are not believed", () =>
  withStore((store) => {
    const ahead = NOW + MAX_SYNC_SKEW_MS + 1;
    const said = [
      peers(SELF),
      peers(BOB, { added: 0 }),
      peers(BOB, { added: ahead }),
      about(ONE, { created: ahead }),
      about(ONE, { erased: ahead }),
      request(ONE, { received: ahead }),
      request(ONE, { from: SELF }),
    ];
    for (const message of said) assert.deepEqual(Object.values(merge(store, message)).flat(), []);
  }));

Deno.test("merge: conversations are cloned, left and cloned again; what is older is skipped", () =>
  withStore((store) => {
    assert.deepEqual(merge(store, about(ONE)).wanted, [ONE]);
    assert.deepEqual(store.cloneSources.all(ONE), [BOB]);
    store.conversations.setState(ONE, "active");
    assert.deepEqual(merge(store, about(ONE, { removed: conversation.created - 2_000, created: 0 })).left, []);
    const changes = mergeSync(about(ONE, { removed: NOW, erased: NOW }), {
      store,
      self: SELF,
      now: NOW,
      isBefore: () => null,
    });
    assert.deepEqual([changes.left, changes.erased], [[ONE], [ONE]]);
    const record = store.conversations.get(ONE);
    assert.ok(record);
    store.conversations.put({ ...record, state: "left", removed: NOW, erased: NOW });
    assert.deepEqual(merge(store, about(ONE)).wanted, [], "an old record does not bring it back");
    assert.deepEqual(merge(store, about(ONE, { created: NOW + 1 })).wanted, [ONE]);
    assert.deepEqual(merge(store, about(TWO, { removed: NOW })).wanted, [], "one that has ended");
  }));

Deno.test("merge: invitations wait, are declined, and come again when they are renewed", () =>
  withStore((store) => {
    assert.deepEqual(merge(store, request(ONE)).invitations, [ONE]);
    assert.deepEqual(merge(store, request(ONE, { declined: NOW + 5 })).answered, [ONE]);
    assert.deepEqual(merge(store, request(ONE)).invitations, []);
    assert.deepEqual(merge(store, request(ONE, { received: NOW + 10 })).invitations, [ONE]);
    assert.deepEqual(merge(store, about(ONE)).answered, [ONE], "it was accepted");
    assert.deepEqual(merge(store, request(ONE, { received: NOW + 20 })).invitations, []);
    assert.deepEqual(merge(store, request(TWO, { metadatas: new Map() })).invitations, [], "a contact's");
  }));

Deno.test("merge: preferences and statuses go forward only, for conversations that are here", () =>
  withStore((store) => {
    const preferences = (lastModified: string): SyncMessage => ({
      ...EMPTY_SYNC,
      preferences: new Map([[ONE, new Map([["color", lastModified], ["lastModified", lastModified]])]]),
    });
    const status = (fetched: string, fetchedAt: string): SyncMessage => ({
      ...EMPTY_SYNC,
      messageStatus: new Map([[ONE, new Map([[BOB, { fetched, fetchedAt, read: "" }]])]]),
    });
    assert.deepEqual(merge(store, preferences("1")).preferences, []);
    merge(store, about(ONE));
    assert.deepEqual(merge(store, preferences("18446744069067103868")).preferences, [ONE]);
    assert.deepEqual(merge(store, preferences("1795211676")).preferences, []);
    assert.equal(store.preferences.get(ONE)?.get("color"), "18446744069067103868");
    const many = new Map([...Array(100).keys()].map((n): [string, string] => [`${n}`, ""]));
    assert.deepEqual(merge(store, { ...EMPTY_SYNC, preferences: new Map([[ONE, many]]) }).preferences, []);
    assert.deepEqual(merge(store, status(BOB, "100")).statuses, [ONE]);
    assert.deepEqual(merge(store, status(CAROL, "99")).statuses, []);
    assert.deepEqual(merge(store, status(CAROL, "101")).statuses, [ONE]);
    assert.equal(store.messageStatuses.get(ONE, BOB)?.fetched, CAROL);
  }));

Deno.test("merge: what real daemons say, whole and damaged", () =>
  withStore((store) => {
    const says = (name: string) => merge(store, decodeSync(vector(name)));
    assert.deepEqual(says("sync/syncmsg-contacts.bin").contacts, ["ea4e1b719a078181de95456e6c35f2aafca0645d"]);
    assert.ok(says("today/sync/syncmsg-conversations.bin").wanted.includes("3f13c62955529e43fd9b2642bec08eb8e7176121"));
    assert.ok(
      says("today/sync/syncmsg-message-status.bin").statuses.includes("3f13c62955529e43fd9b2642bec08eb8e7176121"),
    );
    mutate([vector("today/sync/syncmsg-conversations.bin")], (bytes) => {
      mergeSync(decodeSync(bytes), { store, self: SELF, now: NOW, isBefore: () => null });
    });
  }));

Deno.test("the records of a daemon's archive are read, and written again to the same", async () => {
  const archive = await readArchive(accountVector("archive-nopassword.gz"));
  const message = syncOfArchive(archive);
  assert.equal(message.deviceSync.peers.size, Object.keys(archive.contacts).length);
  assert.ok([...message.conversations.values()].every(({ members, created }) => members.length > 0 && created > 0));
  assert.deepEqual(syncOfArchive(archiveOfSync(message)), message);
  const odd = { contacts: { [BOB]: { added: "x" } }, conversations: { x: {} }, conversationRequests: { [ONE]: {} } };
  const said = syncOfArchive(odd);
  assert.deepEqual([said.deviceSync.peers.get(BOB)?.added, said.conversations.size, said.requests.size], [0, 0, 0]);
});
