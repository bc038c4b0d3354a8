/**
 * The files of all conversations: each one announced is fetched at once, checked, kept once by its hash, and served to members who come later
 * (swarm-sync.md 6). Each conversation's own members must have brought a file, even if the same content is here already for others: who knows only
 * its hash, from a history, must not get the content by announcing it elsewhere.
 */

import { getLogger } from "@logtape/logtape";
import type { Bytes } from "../base/bytes.ts";
import { type Clock, every } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import type { DeviceId } from "../identity/ids.ts";
import { parseChannelName, writeChannelName } from "../messaging/channel_name.ts";
import type { CommitRow } from "../store/commits.ts";
import type { FileRules } from "../store/file_rules.ts";
import type { FileRecord, FileState } from "../store/files.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import { FILE_TYPE, type FileAnnouncement, readFileMessage } from "../swarm/file_message.ts";
import type { Oid } from "../swarm/object.ts";
import type { Channel, Connection } from "../transport/channel.ts";
import { Blobs } from "./blobs.ts";
import { FILE_BATCH, FILE_CHUNK, RETENTION_EVERY_MS } from "./constants.ts";
import type { Conversations } from "./conversations.ts";
import { Downloads } from "./downloads.ts";
import { type FileLimits, FilePolicy } from "./file_policy.ts";
import { type FileRequest, FileServer } from "./file_server.ts";

const log = getLogger(["kituo", "relay"]);

export interface FilesOptions {
  /** Folder of the contents. */
  dir: string;
  limits: FileLimits;
  store: Store;
  clock: Clock;
  /** Our own device. */
  device: DeviceId;
  conversations: Pick<Conversations, "get" | "all" | "on">;
  connections(): Connection[];
}

export type FilesEvents = {
  /** A file was announced, fetched, deleted or given up. */
  changed: { file: FileRecord };
};

export class Files extends Emitter<FilesEvents> {
  readonly policy: FilePolicy;
  readonly #blobs: Blobs;
  readonly #downloads: Downloads;
  readonly #server: FileServer;
  #off: (() => void)[] = [];
  #ready: Promise<void> = Promise.resolve();
  #cleaning = new Set<Promise<void>>();

  constructor(private readonly options: FilesOptions) {
    super();
    const { store, clock, device, limits, conversations } = options;
    const conversation = (id: Oid) => conversations.get(id);
    this.policy = new FilePolicy(store, limits);
    const blobs = this.#blobs = new Blobs(options.dir);
    this.#downloads = new Downloads({ ...options, blobs, policy: this.policy, device, conversation });
    this.#server = new FileServer({ store, clock, blobs, conversation, onMissing: (file) => this.#onMissing(file) });
  }

  /** Takes up the work: what a crash left is put in order, what histories announce is found, what is missing is fetched. */
  start(): void {
    const { clock, conversations } = this.options;
    this.#off = [
      this.#downloads.on("changed", (event) => this.emit("changed", event)),
      this.#downloads.on("evicted", ({ files }) => this.#gone(files)),
      conversations.on("opened", ({ conversation }) => this.#look(conversation)),
      conversations.on("moved", ({ conversation, added }) => {
        if (added.some(({ type }) => type === FILE_TYPE || type === "member" || type === "merge")) {
          this.#look(conversation);
        }
      }),
      conversations.on("closed", ({ id }) => this.#drop(id)),
      every(clock, RETENTION_EVERY_MS, () => this.#expire()),
    ];
    this.#ready = this.#prepare().catch((error) => log.error("files: {error}", { error: messageOf(error) }));
  }

  async stop(): Promise<void> {
    this.#off.forEach((off) => off());
    await this.#ready;
    await Promise.all([this.#downloads.stop(), this.#server.stop()]);
    await Promise.all(this.#cleaning);
  }

  /** What to do with a request for a file; `null` declines it. */
  accept(wanted: FileRequest, connection: Connection): ((channel: Channel) => void) | null {
    return this.#server.accept(wanted, connection);
  }

  /** A device is there: what it may have is asked for. */
  async onConnection({ peer }: Connection): Promise<void> {
    await this.#ready;
    const common = this.options.conversations.all().filter((conversation) => conversation.isJoined(peer));
    this.#downloads.wake(common.map(({ id }) => id));
  }

  /** Bytes of a file that are here. */
  async received({ id, state, size }: FileRecord): Promise<number> {
    if (state === "stored") return size;
    return state === "partial" ? Math.min(size, await this.#blobs.partSize(id)) : 0;
  }

  /** Gives a conversation rules of its own about files; they are obeyed at once. */
  setRules(conversation: Oid, rules: FileRules): void {
    this.options.store.fileRules.put(conversation, rules);
    this.#limitSizes();
    this.options.store.files.limitSize(this.policy.largest(conversation), conversation);
    this.#gone(this.policy.trim());
    this.#expire();
    this.#downloads.wake([conversation]);
  }

  /** The limits were changed: they are obeyed at once. */
  limitsChanged(): void {
    this.#limitSizes();
    this.#gone(this.policy.trim());
    this.#expire();
    this.#downloads.wake(this.options.store.files.wanting());
  }

  #limitSizes(): void {
    const { files, fileRules } = this.options.store;
    files.limitSize(this.policy.largest());
    for (const { conversation } of fileRules.all()) files.limitSize(this.policy.largest(conversation), conversation);
  }

  /** The first bytes of a file; `null` when it is not here. */
  async beginning({ sha3, size }: FileRecord, bytes: number): Promise<Uint8Array | null> {
    const content = await this.#blobs.read(sha3, size);
    if (!content) return null;
    try {
      const buffer = new Uint8Array(bytes);
      const read = await content.read(buffer) ?? 0;
      return buffer.subarray(0, read);
    } finally {
      content.close();
    }
  }

  /** Is the content on the disk? */
  async isHere({ sha3, size }: FileRecord): Promise<boolean> {
    const content = await this.#blobs.read(sha3, size);
    content?.close();
    return content !== null;
  }

  /** The content, part by part; opened when the first is asked for. @throws {Deno.errors.NotFound} when it is not here any more */
  async *content({ sha3, size }: FileRecord): AsyncGenerator<Bytes> {
    const content = await this.#blobs.read(sha3, size);
    if (!content) throw new Deno.errors.NotFound("the content is not here any more");
    try {
      for (;;) {
        const chunk = new Uint8Array(FILE_CHUNK);
        const read = await content.read(chunk);
        if (read === null) return;
        yield chunk.subarray(0, read);
      }
    } finally {
      content.close();
    }
  }

  /** Gives up a file for good: it is neither served nor fetched again. */
  discard(conversation: Oid, id: Oid): void {
    const { files } = this.options.store;
    const file = files.get(conversation, id);
    if (!file || file.state === "deleted" || file.state === "evicted") return;
    files.setState(conversation, id, "evicted");
    this.#gone([{ ...file, state: "evicted" }]);
  }

  async #prepare(): Promise<void> {
    const { store, conversations } = this.options;
    await this.#blobs.start();
    this.#limitSizes();
    await this.#findMissing();
    this.#gone(this.policy.trim());
    this.#expire();
    await this.#blobs.sweep((sha3) => store.files.isHeld(sha3), (id) => store.files.isPartial(id));
    for (const conversation of conversations.all()) this.#scan(conversation);
    this.#downloads.wake(store.files.wanting());
  }

  /** Stored files whose content is not on the disk are fetched again. */
  async #findMissing(): Promise<void> {
    const { files } = this.options.store;
    for (let after = { conversation: "", id: "" };;) {
      const page = files.stored(after, FILE_BATCH);
      for (const file of page) {
        const content = await this.#blobs.read(file.sha3, file.size);
        if (content) content.close();
        else this.#onMissing(file);
      }
      if (page.length < FILE_BATCH) return;
      after = page[page.length - 1];
    }
  }

  async #look(conversation: Conversation): Promise<void> {
    await this.#ready;
    if (this.options.conversations.get(conversation.id) !== conversation) return; // closed meanwhile
    this.#scan(conversation);
    this.#downloads.wake([conversation.id]);
  }

  /** Goes through the commits that came since the last time. */
  #scan({ id }: Conversation): void {
    const { store } = this.options;
    for (let after = store.files.scanned(id);;) {
      const page = store.commits.byArrival(id, { after, limit: FILE_BATCH });
      if (page.length === 0) return;
      after = page[page.length - 1].seq;
      const commits = page.filter(({ type }) => type === FILE_TYPE);
      const changed = store.transaction(() => {
        store.files.setScanned(id, after);
        return commits.flatMap((commit) => this.#onCommit(commit) ?? []);
      });
      for (const file of changed) this.emit("changed", { file });
      this.#clean(changed.filter(({ state }) => state === "deleted"));
    }
  }

  #onCommit(commit: CommitRow): FileRecord | null {
    const { files } = this.options.store;
    const message = readFileMessage(commit.id, commit.body);
    if (message?.kind === "announcement") {
      const file = this.#announced(commit, message);
      return isAskable(file) && files.add(file) ? file : null;
    }
    const file = message && files.get(commit.conversation, message.of);
    if (!file || file.author !== commit.author || file.state === "deleted") return null;
    files.setState(file.conversation, file.id, "deleted");
    return { ...file, state: "deleted" };
  }

  #announced(commit: CommitRow, { fileId, name, size, sha3 }: FileAnnouncement): FileRecord {
    const { conversation, id, author, device, timestamp } = commit;
    const now = this.options.clock.now();
    const announced = Math.min(timestamp * 1_000, now); // who writes a time to come must not outlive the others
    const isOld = announced < this.policy.oldest(now, conversation);
    const isHere = this.options.store.files.isHeldIn(conversation, sha3, size);
    const state: FileState = isHere
      ? "stored"
      : size > this.policy.largest(conversation)
      ? "too large"
      : isOld
      ? "evicted"
      : "waiting";
    return { conversation, id, fileId, author, device, name, size, sha3, state, announced };
  }

  #onMissing(file: FileRecord): void {
    log.warn("the content of file {id} is gone: it is fetched again", { id: file.id });
    this.options.store.files.setState(file.conversation, file.id, "waiting");
    this.emit("changed", { file: { ...file, state: "waiting" } });
    this.#downloads.wake([file.conversation]);
  }

  #expire(): void {
    const { clock } = this.options;
    for (let expired; (expired = this.policy.expire(clock.now())).length;) this.#gone(expired);
  }

  /** Files were given up. */
  #gone(files: FileRecord[]): void {
    for (const file of files) {
      log.info("file {id} of {size} bytes was given up", { id: file.id, size: file.size });
      this.emit("changed", { file });
    }
    this.#clean(files);
  }

  /** The conversation ended for us: nobody can get its files from us any more. */
  #drop(conversation: Oid): void {
    const { files } = this.options.store;
    this.#downloads.drop(conversation);
    const dropped: FileRecord[] = [];
    for (let after = "", page; (page = files.page(conversation, { limit: FILE_BATCH, after })).length;) {
      dropped.push(...page.filter(({ state }) => state === "stored" || state === "partial"));
      after = page[page.length - 1].id;
    }
    files.drop(conversation);
    this.#clean(dropped);
  }

  /** Takes contents off the disk that nobody keeps any more. */
  #clean(files: FileRecord[]): void {
    for (const { id } of files) this.#downloads.cancel(id);
    const cleaning = this.#remove(files).catch((error) =>
      log.error("a file was not removed: {error}", { error: messageOf(error) })
    ).finally(() => this.#cleaning.delete(cleaning));
    this.#cleaning.add(cleaning);
  }

  async #remove(files: FileRecord[]): Promise<void> {
    for (const { id, sha3 } of files) {
      await this.#blobs.removePart(id);
      await this.#blobs.alone(sha3, async () => {
        if (!this.options.store.files.isHeld(sha3)) await this.#blobs.remove(sha3);
      });
    }
  }
}

/** Can the file be named in a request? The end of its id is what the sender likes, a slash for example. */
function isAskable({ conversation, device, fileId }: FileRecord): boolean {
  return parseChannelName(writeChannelName({ kind: "file", conversation, device, fileId, start: 0, end: 0 })).kind ===
    "file";
}
