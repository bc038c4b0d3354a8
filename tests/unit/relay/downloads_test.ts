import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, fromBase64 } from "../../../core/base/bytes.ts";
import { asBytes, decode } from "../../../core/base/msgpack.ts";
import { parseChannelName } from "../../../core/messaging/channel_name.ts";
import {
  DOWNLOAD_RETRY_FIRST_MS,
  DOWNLOAD_WINDOW_MS,
  DOWNLOADS_OF_CONVERSATION,
} from "../../../core/relay/constants.ts";
import type { FileRequest } from "../../../core/relay/file_server.ts";
import { Part } from "../../../core/relay/blobs.ts";
import { download } from "../../../core/relay/download.ts";
import { channelPair, testPeer } from "../../support/channel_pair.ts";
import { secondDevice, until } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { announce, answering, bytes, FilesNode, send, serving, sha3Of, withFiles } from "./files_support.ts";
import { alice, bob, carol, closePlace, NOW, opened, openPlace } from "./support.ts";

const CONTENT = bytes(200_000);

/** What a recording of 2023's daemon has on its file channel. */
function recording(): { name: string; frames: Bytes[] } {
  const path = new URL("../../vectors/sync/file-transfer.jsonl", import.meta.url);
  const rows = Deno.readTextFileSync(path).trim().split("\n").map((line) => JSON.parse(line));
  const frames = rows.filter(({ name }) => name !== "control").map(({ frame_b64 }) => {
    const frame = decode(fromBase64(frame_b64));
    assert(Array.isArray(frame));
    return asBytes(frame[1], "frame");
  });
  return { name: rows[0].control[0], frames };
}

Deno.test("download: what 2023's daemon sent is whole and has the hash of its announcement", async () => {
  const { name, frames } = recording();
  assert.equal(parseChannelName(name).kind, "file");
  assert.deepEqual(frames.map(({ length }) => length), [65_535, 34_465, 0]);
  const [opener, acceptor] = channelPair(testPeer("a"), testPeer("b"), name);
  const path = await Deno.makeTempFile();
  const part = await Part.open(path);
  try {
    const writer = acceptor.writable.getWriter();
    const sent = (async () => {
      for (const frame of frames) if (frame.length) await writer.write(frame);
      acceptor.close();
    })();
    assert.equal(await download(opener, part, 100_000, new VirtualClock()), "whole");
    await sent;
    assert.equal(
      await part.finish(),
      "eff9f0c0cfd6f1189551207f326487ab18c1e971faeb3e75c4dae212bc231bf6" +
        "010bab05e54e4ebf4c553cdd72142c908cfc4343b2524279de92e756c8dd15e6",
    );
  } finally {
    part.close();
    await Deno.remove(path);
  }
});

Deno.test("files: an announced one is fetched at once, the author's device first", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const tablet = await secondDevice(bob, NOW);
    const order: string[] = [];
    const noting = (who: string) =>
      answering(async (channel) => {
        order.push(who);
        await send(channel, CONTENT);
      });
    node.dial(alice, noting("another device of ours"));
    node.dial(tablet, noting("another device of the author"));
    node.dial(bob, noting("the author"));
    const id = await announce(node, conversation, CONTENT);
    await node.reaches(conversation, id, "stored");
    assert.deepEqual(order, ["the author"]);
    assert.deepEqual(node.onDisk(), [sha3Of(CONTENT)]);
    assert.equal(await node.files.received(node.file(conversation, id)), CONTENT.length);
  }));

Deno.test("files: announced while nobody is there, it is fetched from the first joined member who comes", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const id = await announce(node, conversation, CONTENT);
    const asked: FileRequest[] = [];
    node.dial(carol, serving(CONTENT, asked)); // invited only
    node.dial(bob, serving(CONTENT, asked));
    await node.reaches(conversation, id, "stored");
    assert.deepEqual(asked, [{
      kind: "file",
      conversation: conversation.id,
      device: alice.device,
      fileId: `${id}_4711.png`,
      start: 0,
      end: 0,
    }]);
  }));

Deno.test("files: a history that was cloned is searched for files, and nothing is fetched twice", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const ids: string[] = [];
    for (let n = 1; n <= 5; n++) ids.push(await announce(node, conversation, bytes(1_000, n), { tid: `${n}` }));
    const asked: FileRequest[] = [];
    let most = 0, now = 0;
    node.dial(
      bob,
      answering(async (channel, { fileId }) => {
        most = Math.max(most, ++now);
        await until("others had the chance to begin", () => asked.length >= Math.min(5, DOWNLOADS_OF_CONVERSATION));
        await send(channel, bytes(1_000, ids.findIndex((id) => fileId.startsWith(id)) + 1));
        now--;
      }, asked),
    );
    for (const id of ids) await node.reaches(conversation, id, "stored");
    assert.equal(most, DOWNLOADS_OF_CONVERSATION);
    const order = asked.map(({ fileId }) => fileId.slice(0, 40));
    assert.deepEqual(order.toSorted(), ids.toSorted());
    assert.deepEqual(order.slice(0, 2).sort(), ids.slice(3).sort(), "the newest first");
    node.dial(bob, serving(CONTENT, asked));
    await announce(node, conversation, bytes(1_000, 3), { tid: "6" }); // a content that is here already
    assert.equal(asked.length, 5);
  }));

Deno.test("files: cut in the middle it goes on where it ended, with another peer, and after a restart", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const asked: FileRequest[] = [];
    const upTo = (end: number) =>
      answering(async (channel, { start }) => await send(channel, CONTENT.slice(start, end)), asked);
    const first = node.dial(bob, upTo(70_000));
    const id = await announce(node, conversation, CONTENT);
    await until("all came", () => node.part(id) === 70_000);
    await first.close("gone");
    const file = () => node.files.received(node.file(conversation, id));
    await node.reaches(conversation, id, "partial");
    assert.equal(await file(), 70_000);
    node.dial(await secondDevice(bob, NOW), upTo(100_000));
    await until("more came", () => node.part(id) === 100_000);
    await node.files.stop();
    // A new start of the same folder: something was left over there, too.
    await closePlace(node.place);
    await Deno.writeTextFile(`${node.dir}/parts/${"0".repeat(40)}.part`, "left by a crash");
    await Deno.mkdir(`${node.dir}/ff`);
    await Deno.writeTextFile(`${node.dir}/ff/${"f".repeat(128)}`, "left by a crash");
    const place = openPlace(node.place.dir, alice, node.place.clock);
    await place.conversations.start();
    const again = new FilesNode(place);
    try {
      again.dial(bob, serving(CONTENT, asked));
      await again.reaches(opened(place, conversation.id), id, "stored");
      assert.deepEqual(asked.map(({ start }) => start), [0, 70_000, 100_000]);
      assert.deepEqual(again.onDisk(), [sha3Of(CONTENT)]);
    } finally {
      await again.files.stop();
      await closePlace(place);
    }
  }));

Deno.test("files: wrong bytes, too many or too few are never kept, whoever sent them is passed over", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const id = await announce(node, conversation, CONTENT);
    const asked: string[] = [];
    const noting = (who: string, content: Uint8Array) =>
      answering(async (channel) => {
        asked.push(who);
        await send(channel, content);
      });
    node.dial(bob, noting("wrong", bytes(CONTENT.length, 2)));
    await until("asked", () => asked.length === 1);
    node.dial(await secondDevice(bob, NOW), noting("too many", concat(CONTENT, Uint8Array.of(0))));
    await until("asked", () => asked.length === 2);
    await node.reaches(conversation, id, "waiting");
    assert.deepEqual(node.onDisk(), []);
    node.dial(alice, noting("right", CONTENT));
    await node.reaches(conversation, id, "stored");
    assert.deepEqual(asked, ["wrong", "too many", "right"]);
  }));

Deno.test("files: who declines, or sends nothing, is asked again later and later", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const { clock } = node.place;
    let asked = 0;
    let has = false;
    node.dial(bob, (name) => ++asked % 2 && !has ? null : serving(has ? CONTENT : new Uint8Array())(name));
    const id = await announce(node, conversation, CONTENT);
    await until("declined", () => asked === 1);
    await clock.advance(DOWNLOAD_RETRY_FIRST_MS);
    await until("nothing came", () => asked === 2);
    await until("it waits", () => node.file(conversation, id).state === "waiting" && node.onDisk().length === 0);
    await clock.advance(DOWNLOAD_RETRY_FIRST_MS);
    assert.equal(asked, 2, "the wait has doubled");
    has = true;
    await clock.advance(DOWNLOAD_RETRY_FIRST_MS);
    await node.reaches(conversation, id, "stored");
    assert.equal(asked, 3);
  }));

Deno.test("files: a source that trickles is given up for one that does not, with what it brought", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const { clock } = node.place;
    const asked: FileRequest[] = [];
    const trickling = Promise.withResolvers<void>();
    node.dial(
      bob,
      answering(async (channel) => {
        await send(channel, CONTENT.slice(0, 1_000));
        await trickling.promise;
      }, asked),
    );
    const id = await announce(node, conversation, CONTENT);
    await until("it came", () => node.part(id) === 1_000);
    node.dial(alice, serving(CONTENT, asked));
    await clock.advance(DOWNLOAD_WINDOW_MS);
    await node.reaches(conversation, id, "stored");
    trickling.resolve();
    assert.deepEqual(asked.map(({ start }) => start), [0, 1_000]);
  }));

Deno.test("files: an empty one is nothing to wait for", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    node.dial(bob);
    const id = await announce(node, conversation, new Uint8Array());
    await node.reaches(conversation, id, "stored");
  }));

Deno.test("files: stopped in the middle they stop, and what came stays", () =>
  withFiles(async (node) => {
    const conversation = await node.group();
    const never = Promise.withResolvers<void>();
    node.dial(
      bob,
      answering(async (channel) => {
        await send(channel, CONTENT.slice(0, 65_535));
        await never.promise;
      }),
    );
    const id = await announce(node, conversation, CONTENT);
    await until("it came", () => node.part(id) === 65_535);
    await node.files.stop();
    never.resolve();
    assert.equal(node.file(conversation, id).state, "partial");
    assert.deepEqual(node.onDisk(), [`${id}.part`]);
  }));

Deno.test("files: whatever a source sends, only the announced content is kept", async () => {
  const content = bytes(3_000);
  const piece = fc.record({
    right: fc.boolean(),
    length: fc.nat(4_000),
  });
  const session = fc.array(piece, { maxLength: 4 });
  await withFiles(async (node) => {
    const conversation = await node.group();
    let n = 0;
    await fc.assert(
      fc.asyncProperty(session, async (pieces) => {
        const salted = concat(content, Uint8Array.of(++n & 0xff, n >> 8));
        const sent: number[] = [];
        const peer = node.dial(
          bob,
          answering(async (channel, { start }) => {
            for (const { right, length } of pieces) {
              const at = start + sent.reduce((a, b) => a + b, 0);
              await send(channel, right ? salted.slice(at, at + length) : bytes(length, n)).finally(() =>
                sent.push(length)
              );
            }
          }),
        );
        const id = await announce(node, conversation, salted, { tid: `${n}` });
        await until(
          "asked",
          () => node.place.store.files.wanted(conversation.id, 1)[0]?.id !== id || peer.requested.length > 0,
        );
        await peer.close("done");
        const honest = node.dial(alice, serving(salted));
        await node.reaches(conversation, id, "stored");
        await honest.close("done");
        assert.equal(
          sha3Of(Deno.readFileSync(`${node.dir}/${sha3Of(salted).slice(0, 2)}/${sha3Of(salted)}`)),
          sha3Of(salted),
        );
      }),
      { numRuns: 60 },
    );
  });
});
