import assert from "node:assert/strict";
import fc from "fast-check";
import { concat } from "../../../core/base/bytes.ts";
import type { FileRequest } from "../../../core/relay/file_server.ts";
import { FilePolicy } from "../../../core/relay/file_policy.ts";
import type { FileRecord } from "../../../core/store/files.ts";
import { FILE_TYPE } from "../../../core/swarm/file_message.ts";
import { ban } from "../../../core/swarm/write_members.ts";
import { writeChannelName } from "../../../core/messaging/channel_name.ts";
import { ChannelDeclined } from "../../../core/transport/channel.ts";
import { secondDevice, until } from "../../support/people.ts";
import { withStore } from "../store/support.ts";
import { announce, bytes, type FilesNode, frames, say, serving, sha3Of, WIDE, withFiles } from "./files_support.ts";
import { alice, bob, carol, NOW } from "./support.ts";

const CONTENT = bytes(100_000);
const DAY = 24 * 3_600_000;

/** A group of which Alice has a file; and what to ask for it with. */
async function stored(node: FilesNode) {
  const conversation = await node.group();
  const source = node.dial(bob, serving(CONTENT));
  const id = await announce(node, conversation, CONTENT);
  await node.reaches(conversation, id, "stored");
  await source.close("done");
  const request: FileRequest = {
    kind: "file",
    conversation: conversation.id,
    device: bob.device,
    fileId: `${id}_4711.png`,
    start: 0,
    end: 0,
  };
  return { conversation, id, request };
}

Deno.test("files: served to a member from any place on, in the daemons' frames", () =>
  withFiles(async (node) => {
    const { request } = await stored(node);
    const connection = node.dial(bob);
    const got = async (start: number, end: number) =>
      await frames(await connection.open(writeChannelName({ ...request, start, end })));
    assert.deepEqual((await got(0, 0)).map(({ length }) => length), [65_535, 34_465]);
    const cases = [[0, 0], [1, 0], [70_000, 0], [100_000, 0], [10, 20], [20, 10], [5, 1e9]];
    for (const [start, end] of cases) {
      const expected = CONTENT.slice(start, end > start ? end : undefined);
      assert.deepEqual(concat(...await got(start, end)), expected, `${start} to ${end}`);
    }
    await assert.rejects(got(100_001, 0), ChannelDeclined);
  }));

Deno.test("files: strangers, invited, banned and left ones get none, nor does anybody under another name", () =>
  withFiles(async (node) => {
    const { conversation, id, request } = await stored(node);
    const other = await announce(node, conversation, bytes(10, 9), { tid: "5" }); // nobody has it
    const tablet = await secondDevice(bob, NOW);
    const asks = async (identity: typeof bob, change: Partial<FileRequest> = {}) => {
      const connection = node.dial(identity);
      const opened = connection.open(writeChannelName({ ...request, device: identity.device, ...change }));
      const answer = await opened.then((channel) => frames(channel)).then(() => true, (error) => {
        assert.ok(error instanceof ChannelDeclined);
        return false;
      });
      await connection.close("asked");
      return answer;
    };
    assert.equal(await asks(bob), true);
    assert.equal(await asks(tablet), true);
    assert.equal(await asks(carol), false, "she is only invited");
    assert.equal(await asks(bob, { device: alice.device }), false, "our own device");
    assert.equal(await asks(bob, { device: tablet.device }), false, "another one's device");
    assert.equal(await asks(bob, { conversation: "c".repeat(40) }), false);
    for (const name of [`${id}_4711`, `${id}_4711.pn`, `${id}_4712.png`, `${id}_4711.png.png`, `${other}_5.png`]) {
      assert.equal(await asks(bob, { fileId: name }), false, name);
    }
    assert.equal(await asks(bob, { fileId: `${conversation.id}_4711.png` }), false, "a commit that announces nothing");
    await conversation.write((context) => ban(context, bob.account));
    assert.equal(await asks(bob), false);
    assert.equal(await asks(tablet), false);
  }));

Deno.test("files: a content that only others were given must be brought by this conversation's own members", () =>
  withFiles(async (node) => {
    const { request } = await stored(node);
    // Carol read the hash in the first group, where she may not have files. In another, she is a member.
    const second = await node.group();
    const id = await announce(node, second, CONTENT);
    node.dial(bob);
    const wanted = writeChannelName({ ...request, conversation: second.id, fileId: `${id}_4711.png` });
    await assert.rejects(node.dial(bob).open(wanted), ChannelDeclined);
    assert.equal(node.file(second, id).state, "waiting");
    node.dial(bob, serving(CONTENT));
    await node.reaches(second, id, "stored");
    assert.deepEqual(node.onDisk(), [sha3Of(CONTENT)], "kept once");
  }));

Deno.test("files: one over the limit is not fetched, unless the limit becomes higher", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const asked: FileRequest[] = [];
    node.dial(bob, serving(CONTENT, asked));
    const id = await announce(node, conversation, CONTENT);
    await node.reaches(conversation, id, "too large");
    const small = await announce(node, conversation, CONTENT.slice(0, 1_000), { tid: "2" });
    await until("only the other", () => asked.length > 0);
    assert.deepEqual(asked.map(({ fileId }) => fileId), [`${small}_2.png`]);
    node.place.store.files.limitSize(100_000);
    assert.equal(node.file(conversation, id).state, "waiting");
  }, { ...WIDE, maxFile: CONTENT.length - 1 }));

Deno.test("files: the oldest gives way to a newer one, and a newer one never to an older one", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const all = [1, 2, 3, 4].map((seed) => bytes(40_000, seed));
    const asked: FileRequest[] = [];
    node.dial(bob, (name) => serving(all[Number(/_(\d)\.png/.exec(name)?.[1])], asked)(name));
    const ids: string[] = [];
    for (const n of [0, 1]) {
      ids.push(await announce(node, conversation, all[n], { tid: `${n}` }));
      await node.reaches(conversation, ids[n], "stored");
    }
    ids.push(await announce(node, conversation, all[2], { tid: "2" }));
    await node.reaches(conversation, ids[2], "stored");
    assert.deepEqual(ids.map((id) => node.file(conversation, id).state), ["evicted", "stored", "stored"]);
    await until("its content is gone", () => node.onDisk().length === 2);
    assert.deepEqual(node.onDisk(), [sha3Of(all[1]), sha3Of(all[2])].sort());
  }, { ...WIDE, perConversation: 100_000 }));

Deno.test("files: too old they are given up, or not fetched at all", () =>
  withFiles(async (node) => {
    const { conversation, id } = await stored(node);
    await node.place.clock.advance(31 * DAY);
    await node.reaches(conversation, id, "evicted");
    await until("it is gone", () => node.onDisk().length === 0);
    assert.equal(node.place.store.files.used(), 0);
  }, { ...WIDE, retentionDays: 30 }));

Deno.test("files: a group with rules of its own is kept by them and others as before, at once and after a restart", () =>
  withFiles(async (node) => {
    const { store, clock } = node.place;
    const [own, other] = [await node.group(), await node.group()];
    const all = [1, 2, 3].map((seed) => bytes(40_000, seed));
    node.dial(bob, (name) => serving(all[Number(/_(\d)\.png/.exec(name)?.[1])])(name));
    const announced = async (group: typeof own, n: number) => await announce(node, group, all[n], { tid: `${n}` });
    const ids = [await announced(own, 0), await announced(own, 1), await announced(other, 2)];
    for (const [i, group] of [own, own, other].entries()) await node.reaches(group, ids[i], "stored");
    node.files.setRules(own.id, { quota: 50_000, retentionDays: null });
    assert.deepEqual([own, own, other].map((group, i) => node.file(group, ids[i]).state), [
      "evicted",
      "stored",
      "stored",
    ]);
    node.files.setRules(own.id, { quota: 39_999, retentionDays: null });
    assert.equal(node.file(own, ids[1]).state, "evicted");
    const large = await announced(own, 2);
    await node.reaches(own, large, "too large");
    node.files.setRules(own.id, { quota: 40_000, retentionDays: 0 });
    await node.reaches(own, large, "stored");
    await clock.advance(31 * DAY);
    await node.reaches(other, ids[2], "evicted");
    assert.equal(node.file(own, large).state, "stored", "for ever");
    node.files.setRules(own.id, { quota: null, retentionDays: 7 });
    assert.equal(node.file(own, large).state, "evicted");
    await until("nothing is kept", () => node.onDisk().length === 0);
    node.files.setRules(own.id, { quota: null, retentionDays: null });
    assert.deepEqual(store.fileRules.all(), []);
  }, { ...WIDE, retentionDays: 30 }));

const changing = { ...WIDE, maxFile: CONTENT.length - 1 };

Deno.test("files: limits that change while the node runs are obeyed at once, higher ones and lower ones", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    node.dial(bob, serving(CONTENT));
    const id = await announce(node, conversation, CONTENT);
    await node.reaches(conversation, id, "too large");
    changing.maxFile = CONTENT.length;
    node.files.limitsChanged();
    await node.reaches(conversation, id, "stored");
    changing.total = CONTENT.length - 1;
    node.files.limitsChanged();
    assert.equal(node.file(conversation, id).state, "evicted");
    await until("it is gone", () => node.onDisk().length === 0);
  }, changing));

Deno.test("files: deleted by its author, not by others, a file is gone from the disk and served no more", () =>
  withFiles(async (node) => {
    const { conversation, id, request } = await stored(node);
    const twin = await announce(node, conversation, CONTENT, { tid: "8" });
    await node.reaches(conversation, twin, "stored");
    const delete_ = (of: string, author = bob) =>
      say(node.place, conversation, author, { type: FILE_TYPE, edit: of, tid: "" });
    await assert.rejects(delete_(id, alice), { name: "RuleViolation" });
    await delete_(id);
    await node.reaches(conversation, id, "deleted");
    await assert.rejects(node.dial(bob).open(writeChannelName(request)), ChannelDeclined);
    assert.deepEqual(node.onDisk(), [sha3Of(CONTENT)], "another announcement has the same content");
    await delete_(twin);
    await node.reaches(conversation, twin, "deleted");
    await until("it is gone", () => node.onDisk().length === 0);
  }));

Deno.test("files: deleted while it comes in, a file stops coming", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const never = Promise.withResolvers<void>();
    node.dial(bob, () => (channel) => {
      channel.writable.getWriter().write(CONTENT.slice(0, 1_000));
      never.promise.then(() => channel.close());
    });
    const id = await announce(node, conversation, CONTENT);
    await until("it comes", () => node.part(id) === 1_000);
    await say(node.place, conversation, bob, { type: FILE_TYPE, edit: id, tid: "" });
    await until("it is gone", () => node.onDisk().length === 0);
    never.resolve();
    assert.equal(node.file(conversation, id).state, "deleted");
  }));

Deno.test("files: of a conversation that was left nothing stays", () =>
  withFiles(async (node) => {
    const { conversation } = await stored(node);
    node.place.conversations.leave(conversation.id);
    await until("it is gone", () => node.onDisk().length === 0);
    assert.deepEqual(node.place.store.files.page(conversation.id, { limit: 10 }), []);
  }));

Deno.test("files: one whose content is missing or damaged on the disk is fetched again", () =>
  withFiles(async (node) => {
    const { conversation, id, request } = await stored(node);
    const sha3 = sha3Of(CONTENT);
    await Deno.truncate(`${node.dir}/${sha3.slice(0, 2)}/${sha3}`, 5);
    const channel = await node.dial(bob, serving(CONTENT)).open(writeChannelName(request));
    assert.deepEqual(await frames(channel), []);
    await node.reaches(conversation, id, "stored");
    assert.equal((await Deno.stat(`${node.dir}/${sha3.slice(0, 2)}/${sha3}`)).size, CONTENT.length);
  }));

Deno.test("files: hostile announcements are no files, and touch nothing outside the folder", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const asked: FileRequest[] = [];
    node.dial(bob, serving(CONTENT, asked));
    const wrong: [string, string][] = [
      ["sha3sum", `../${"a".repeat(125)}`],
      ["tid", "../../x"],
      ["tid", ""],
      ["totalSize", "-5"],
      ["displayName", "x.\0/x"],
      ["displayName", "x./../x"],
      ["displayName", "x.a?b"],
    ];
    for (const [key, value] of wrong) await announce(node, conversation, CONTENT, { [key]: value });
    const good = await announce(node, conversation, CONTENT, { tid: "3", displayName: "../../etc/passwd" });
    await node.reaches(conversation, good, "stored");
    assert.deepEqual(asked.map(({ fileId }) => fileId), [`${good}_3`]);
    assert.equal(node.place.store.files.page(conversation.id, { limit: 10 }).length, 1);
    assert.deepEqual(node.onDisk(), [sha3Of(CONTENT)]);
  }));

Deno.test("policy: no limit is ever exceeded, and nothing newer gives way to something older of its conversation", () =>
  withStore((store) => {
    const file = fc.record({ conversation: fc.constantFrom("a", "b", "c"), size: fc.integer({ min: 1, max: 40 }) });
    const order = fc.shuffledSubarray(Array.from({ length: 12 }, (_, i) => i), { minLength: 12 });
    let run = 0;
    fc.assert(fc.property(fc.array(file, { minLength: 12, maxLength: 12 }), order, (files, times) => {
      const policy = new FilePolicy(store, { maxFile: 40, total: 100, perConversation: 60, retentionDays: 0 });
      run++;
      for (const conversation of ["a", "b", "c"]) store.files.drop(conversation);
      for (const [i, { conversation, size }] of files.entries()) {
        const record: FileRecord = {
          conversation,
          id: `${i}`,
          fileId: `${i}_1`,
          author: "x",
          device: "y",
          name: "",
          size,
          sha3: `${run}/${i}`,
          state: "waiting",
          announced: times[i],
        };
        store.files.add(record);
        const used = store.files.used();
        const evicted = policy.reserve(record);
        if (evicted === null) assert.equal(store.files.used(), used, "all or nothing");
        for (const gone of evicted ?? []) {
          assert.ok(gone.conversation !== conversation || gone.announced < times[i]);
          assert.equal(store.files.get(gone.conversation, gone.id)?.state, "evicted");
        }
        assert.ok(store.files.used() <= 100);
        for (const one of ["a", "b", "c"]) assert.ok(store.files.used(one) <= 60);
      }
      const lower = new FilePolicy(store, { maxFile: 40, total: 50, perConversation: 20, retentionDays: 0 });
      lower.trim();
      assert.ok(store.files.used() <= 50);
      for (const one of ["a", "b", "c"]) assert.ok(store.files.used(one) <= 20);
    }));
  }));
