/** What a real member says, changes and takes back, as Kituo's API shows it. */

import assert from "node:assert/strict";
import { people } from "./driver/daemon.ts";
import { Network } from "./driver/network.ts";
import { interopTest } from "./driver/requirements.ts";
import { askKituo, groupWithKituo, readyKituo } from "./driver/scenario.ts";

const RINGING = 1_000; // ms: nobody hangs up sooner

/** A message as the API shows it with `view=entries`. */
interface Shown {
  id: string;
  author: string;
  entry: {
    kind: string;
    text?: string;
    edited?: boolean;
    deleted?: boolean;
    history?: { text: string }[];
    replyTo?: string | null;
    reactions?: { author: string; body: string }[];
    file?: { name: string; size: number; fileId: string };
  };
}

interopTest("a reply, an edit, a reaction, a file and a deletion by a daemon are seen in the API", async () => {
  await using network = await Network.up();
  await using kituo = await readyKituo(network);
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  const conversation = await askKituo(alice, kituo);
  const say = async (body: string) => {
    await alice.send(conversation, body);
    return (await alice.waitText(conversation, body)).message.id;
  };
  const entries = async () => {
    const path = `/conversations/${conversation}/messages?view=entries`;
    return (await kituo.api<{ messages: Shown[] }>("GET", path)).messages;
  };
  /** The entry of a commit, once it is as wanted. */
  const shown = (id: string, test: (entry: Shown["entry"]) => unknown) =>
    kituo.until(`${id} as expected`, async () => {
      const message = (await entries()).find((message) => message.id === id);
      return message && test(message.entry) ? message : null;
    });
  const found = async (q: string) => {
    const path = `/conversations/${conversation}/search?q=${encodeURIComponent(q)}`;
    const { results } = await kituo.api<{ results: { message: Shown }[] }>("GET", path);
    return results.map(({ message }) => message.id);
  };

  const first = await say("Karibu chai");
  await alice.reply(conversation, "asante", first);
  const { message: reply } = await alice.waitText(conversation, "asante");
  await shown(reply.id, ({ replyTo }) => replyTo === first);

  await alice.react(conversation, "👍", first);
  const { message: thumb } = await alice.waitText(conversation, "👍");
  await shown(first, ({ reactions }) => reactions?.length === 1);
  await alice.edit(conversation, "Karibu kahawa", first);
  const edited = await shown(first, (entry) => entry.edited);
  assert.deepEqual(
    [edited.author, edited.entry.text, edited.entry.history?.map(({ text }) => text), edited.entry.reactions],
    [alice.uri, "Karibu kahawa", ["Karibu chai"], [{ id: thumb.id, author: alice.uri, body: "👍" }]],
  );
  assert.deepEqual([await found("kahawa"), await found("chai")], [[first], []]);

  await alice.edit(conversation, "", thumb.id);
  await shown(first, ({ reactions }) => reactions?.length === 0);
  const last = await say("to be deleted");
  assert.ok(await shown(last, ({ kind }) => kind === "text"));
  assert.deepEqual(await found("deleted"), [last]);
  await alice.edit(conversation, "", last);
  await shown(last, ({ deleted, text }) => deleted && text === "");
  assert.deepEqual(await found("deleted"), []);

  const path = `${alice.folder}/ratiba.txt`;
  await Deno.writeTextFile(path, "kesho saa tatu");
  await alice.sendFile(conversation, path);
  const file = await kituo.until("the file", async () => (await entries()).find(({ entry }) => entry.kind === "file"));
  assert.deepEqual([file.entry.file?.name, file.entry.file?.size], ["ratiba.txt", 14]);
  assert.match(file.entry.file?.fileId ?? "", new RegExp(`^${file.id}_[0-9]+\\.txt$`));
  assert.deepEqual(await found("ratiba"), [file.id]);

  assert.deepEqual(
    (await entries()).map(({ entry }) => entry.kind),
    ["file", "text", "text", "text", "member"],
    "edits and reactions are no entries of their own",
  );
});

interopTest(
  "calls of daemons are seen in the API: one that Kituo does not take, and one of a group, while it goes on and after",
  async () => {
    await using network = await Network.up();
    await using kituo = await readyKituo(network);
    const [alice] = await people(network, "alice");
    await using _alice = alice;
    const oneToOne = await askKituo(alice, kituo);
    const group = await groupWithKituo(alice, kituo);
    const call = async (conversation: string) => {
      const path = `/conversations/${conversation}/messages?view=entries`;
      const { messages } = await kituo.api<{ messages: { author: string; entry: { kind: string; call: Call } }[] }>(
        "GET",
        path,
      );
      return messages.filter(({ entry }) => entry.kind === "call").map(({ author, entry }) => ({
        author,
        ...entry.call,
      }));
    };

    const ringing = `${await alice.call("CallManager", "placeCallWithMedia", alice.account, kituo.jamiId, [])}`;
    await alice.waitEvent("callStateChanged", (args) => args.includes(ringing) && args.includes("CONNECTING"));
    // Debian's jamid keeps no record of a call that is hung up within milliseconds of its start, and no event tells when it is past that
    await new Promise((resolve) => setTimeout(resolve, RINGING));
    await alice.call("CallManager", "hangUp", alice.account, ringing);
    await alice.waitMessage(oneToOne, ({ type }) => type === "application/call-history+json");
    const [missed] = await kituo.until("the call", async () => {
      const calls = await call(oneToOne);
      return calls.length > 0 && calls;
    });
    assert.deepEqual([missed.author, missed.to, missed.duration, missed.active], [alice.uri, kituo.jamiId, 0, false]);

    const id = `${await alice.call("CallManager", "placeCallWithMedia", alice.account, `swarm:${group}`, [])}`;
    const [begun] = await kituo.until("the start", async () => {
      const calls = await call(group);
      return calls.length > 0 && calls;
    });
    assert.deepEqual(
      [begun.active, begun.host, begun.device, begun.duration],
      [true, alice.uri, alice.device, null],
    );
    const { args: [, conference] } = await alice.waitEvent("conferenceCreated");
    assert.equal(`${conference}`, begun.confId, id);
    await alice.call("CallManager", "hangUpConference", alice.account, `${conference}`);
    await kituo.until("the end", async () => (await call(group)).every(({ active }) => !active));
    const ended = await call(group);
    assert.ok(ended.every(({ confId, duration }) => confId === begun.confId && (duration ?? 0) > 0));
  },
);

/** A call as the API tells it. */
interface Call {
  duration: number | null;
  active: boolean;
  host: string | null;
  device: string | null;
  confId: string | null;
  to: string | null;
}
