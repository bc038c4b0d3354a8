/** A node with files and a conversation, and peers of it whose answers a test decides. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Bytes } from "../../../core/base/bytes.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { parseChannelName } from "../../../core/messaging/channel_name.ts";
import type { FileLimits } from "../../../core/relay/file_policy.ts";
import { type FileRequest } from "../../../core/relay/file_server.ts";
import { Files } from "../../../core/relay/files.ts";
import type { FileRecord } from "../../../core/store/files.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { FILE_TYPE } from "../../../core/swarm/file_message.ts";
import type { MessageValue } from "../../../core/swarm/commit.ts";
import { writeMessage } from "../../../core/swarm/write_messages.ts";
import { createConversation, join as joinGroup } from "../../../core/swarm/write_members.ts";
import type { Channel } from "../../../core/transport/channel.ts";
import { type Accept, connectionPair, MemoryConnection } from "../../support/channel_pair.ts";
import { peerOf, until } from "../../support/people.ts";
import { alice, bob, carol, inviteTo, opened, type Place, withPlaces } from "./support.ts";

/** Limits that nothing in most tests comes near. */
export const WIDE: FileLimits = { maxFile: 1e6, total: 1e7, perConversation: 1e7, retentionDays: 0 };

export function sha3Of(content: Uint8Array): string {
  return createHash("sha3-512").update(content).digest("hex");
}

/** `n` bytes that differ from those of another `seed`. */
export function bytes(n: number, seed = 1): Bytes {
  return Uint8Array.from({ length: n }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 0xff);
}

/** Alice's node. */
export class FilesNode {
  readonly files: Files;
  #connections: MemoryConnection[] = [];

  constructor(readonly place: Place, readonly limits: FileLimits = WIDE) {
    this.files = new Files({
      dir: this.dir,
      limits,
      store: place.store,
      clock: place.clock,
      device: alice.device,
      conversations: place.conversations,
      connections: () => this.#connections.filter((one) => !one.ended),
    });
    this.files.start();
  }

  get dir(): string {
    return join(this.place.dir, "files");
  }

  /** A group with Bob, who joined, and Carol, who is only invited. */
  async group(): Promise<Conversation> {
    const { conversations, clock } = this.place;
    await clock.advance(1_000);
    const written = await createConversation({ identity: alice, displayName: "", now: clock.now() }, { mode: 2 });
    const id = written.head;
    conversations.want(id, alice.account, 2);
    await conversations.finishClone(id, { head: id, objects: new Map(written.objects.map((o) => [o.oid, o])) });
    const conversation = opened(this.place, id);
    await inviteTo(conversation, clock, bob.account);
    await clock.advance(1_000);
    const { repository: reader, head } = conversation;
    const joined = await joinGroup({ reader, head, displayName: "", now: clock.now(), identity: bob });
    await conversation.take({ head: joined.head, objects: new Map(joined.objects.map((o) => [o.oid, o])) });
    await inviteTo(conversation, clock, carol.account);
    return conversation;
  }

  /** Connects a peer, which answers our requests with `accept`; its end. */
  dial(identity: Identity, accept: Accept = () => null): MemoryConnection {
    const [theirs, ours] = connectionPair(peerOf(identity), peerOf(alice));
    ours.accept = (name) => {
      const wanted = parseChannelName(name);
      return wanted.kind === "file" ? this.files.accept(wanted, ours) : null;
    };
    theirs.accept = accept;
    this.#connections.push(ours);
    this.files.onConnection(ours);
    return theirs;
  }

  /** The file that a commit announces. */
  file(conversation: Conversation, id: string): FileRecord {
    const file = this.place.store.files.get(conversation.id, id);
    if (!file) throw new Error("no such file");
    return file;
  }

  /** Until the file is in the state. */
  async reaches(conversation: Conversation, id: string, state: FileRecord["state"]): Promise<void> {
    const now = () => this.place.store.files.get(conversation.id, id)?.state;
    await until(`file is ${state}`, () => now() === state).catch((error) => {
      throw new Error(`it is ${now()}`, { cause: error });
    });
  }

  /** Bytes of a file that are on the disk as a part. */
  part(id: string): number {
    return this.onDisk().includes(`${id}.part`) ? Deno.statSync(join(this.dir, "parts", `${id}.part`)).size : 0;
  }

  /** Contents and parts on the disk, by name. */
  onDisk(): string[] {
    return [...Deno.readDirSync(this.dir)].filter(({ isDirectory }) => isDirectory)
      .flatMap(({ name }) => [...Deno.readDirSync(join(this.dir, name))].map((file) => file.name)).sort();
  }
}

/** Runs `test` with Alice's node. */
export async function withFiles(test: (node: FilesNode) => Promise<void>, limits?: FileLimits): Promise<void> {
  await withPlaces([alice], async (place) => {
    const node = new FilesNode(place, limits);
    try {
      await test(node);
    } finally {
      await node.files.stop();
    }
  });
}

/** Bob announces a file; the commit. */
export async function announce(
  { place }: FilesNode,
  conversation: Conversation,
  content: Uint8Array,
  change: Record<string, MessageValue> = {},
  author: Identity = bob,
): Promise<string> {
  return await say(place, conversation, author, {
    type: FILE_TYPE,
    displayName: "map.png",
    sha3sum: sha3Of(content),
    tid: "4711",
    totalSize: `${content.length}`,
    ...change,
  });
}

/** A commit of somebody; its id. */
export async function say(
  { clock }: Place,
  conversation: Conversation,
  identity: Identity,
  body: Record<string, MessageValue>,
): Promise<string> {
  await clock.advance(1_000);
  const { repository: reader, head } = conversation;
  const { head: id, objects } = await writeMessage({ reader, head, displayName: "", now: clock.now(), identity }, body);
  await conversation.take({ head: id, objects: new Map(objects.map((o) => [o.oid, o])) });
  return id;
}

/** Answers requests for a file with these bytes, as a daemon does. */
export function serving(content: Uint8Array, asked: FileRequest[] = []): Accept {
  return answering(async (channel, { start }) => await send(channel, content.slice(start)), asked);
}

/** Answers requests for a file with `answer`; then the channel ends. */
export function answering(
  answer: (channel: Channel, request: FileRequest) => Promise<void>,
  asked: FileRequest[] = [],
): Accept {
  return (name) => {
    const wanted = parseChannelName(name);
    if (wanted.kind !== "file") return null;
    asked.push(wanted);
    return (channel) => void answer(channel, wanted).finally(() => channel.close());
  };
}

/** Writes bytes on a channel. */
export async function send(channel: Channel, content: Uint8Array): Promise<void> {
  const writer = channel.writable.getWriter();
  await writer.write(new Uint8Array(content)).catch(() => {}); // reason: the reader may have had enough
  writer.releaseLock();
}

/** All that comes on a channel, frame by frame. */
export async function frames(channel: Channel): Promise<Bytes[]> {
  const all: Bytes[] = [];
  for await (const frame of channel.readable) all.push(frame);
  return all;
}
