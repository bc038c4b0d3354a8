/** Sends files to members who ask for them (swarm-sync.md 6.2, 6.3). */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { KituoError, LimitError, messageOf } from "../base/errors.ts";
import { LruMap, Semaphore } from "../base/limits.ts";
import type { DeviceId } from "../identity/ids.ts";
import type { ChannelName } from "../messaging/channel_name.ts";
import { ChannelWriter } from "../messaging/channel_writer.ts";
import type { FileRecord } from "../store/files.ts";
import type { Store } from "../store/store.ts";
import type { Conversation } from "../swarm/conversation.ts";
import type { Oid } from "../swarm/object.ts";
import type { Channel, Connection } from "../transport/channel.ts";
import type { Blobs } from "./blobs.ts";
import { DEVICES_SERVED, FILE_CHUNK, FILES_PER_DEVICE, FILES_WAITING_PER_DEVICE } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

/** A request for a file. */
export type FileRequest = Extract<ChannelName, { kind: "file" }>;

export interface FileServerOptions {
  store: Store;
  clock: Clock;
  blobs: Blobs;
  conversation(id: Oid): Pick<Conversation, "isJoined"> | undefined;
  /** The content of a file that should be here is not. */
  onMissing(file: FileRecord): void;
}

export class FileServer {
  #slots = new LruMap<DeviceId, Semaphore>(DEVICES_SERVED);
  #sending = new Set<Promise<void>>();
  #channels = new Set<Channel>();

  constructor(private readonly options: FileServerOptions) {}

  /**
   * What to do with a request; `null` declines it. The file is served to joined members only, and only under the very id that its commit gives it.
   */
  accept(wanted: FileRequest, { peer }: Connection): ((channel: Channel) => void) | null {
    const { conversation, store } = this.options;
    if (wanted.device !== peer.device || !conversation(wanted.conversation)?.isJoined(peer)) return null;
    const file = store.files.get(wanted.conversation, wanted.fileId.slice(0, 40));
    if (file?.state !== "stored" || file.fileId !== wanted.fileId || wanted.start > file.size) return null;
    if (store.heldFiles.has(file.conversation, file.id)) return null; // until a moderator has looked at it
    return (channel) => {
      const sending = this.#serve(file, wanted, channel).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    };
  }

  /** Ends all that is being sent. */
  async stop(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await Promise.all(this.#sending);
  }

  async #serve(file: FileRecord, { start, end }: FileRequest, channel: Channel): Promise<void> {
    const { device } = channel.peer;
    const slots = this.#slots.get(device) ?? new Semaphore("files", FILES_PER_DEVICE, FILES_WAITING_PER_DEVICE);
    this.#slots.set(device, slots);
    this.#channels.add(channel);
    try {
      const until = end > start ? Math.min(end, file.size) : file.size; // an end that is no end means "all" (6.2)
      const sent = await slots.run(() => this.#send(file, start, until, channel));
      log.debug("{sent} bytes of file {id} from byte {start} sent to {device}", { sent, id: file.id, start, device });
    } catch (error) {
      const details = { id: file.id, device, error: messageOf(error) };
      if (error instanceof KituoError) log.info("file {id} did not reach {device} whole: {error}", details);
      else log.error("file {id} could not be sent to {device}: {error}", details);
      if (error instanceof LimitError) log.debug("{device} asks for too many files", { device });
    } finally {
      channel.close();
      this.#channels.delete(channel);
    }
  }

  /** Sends the bytes from `start` to before `end`; one frame is read ahead. Returns how many. */
  async #send(record: FileRecord, start: number, end: number, channel: Channel): Promise<number> {
    const { blobs, clock, onMissing } = this.options;
    const file = await blobs.read(record.sha3, record.size);
    if (!file) {
      onMissing(record);
      return 0;
    }
    try {
      const writer = new ChannelWriter(channel, clock);
      await file.seek(start, Deno.SeekMode.Start);
      let at = start;
      while (at < end) {
        // a buffer of its own for each frame: the channel keeps it until it is sent
        const chunk = new Uint8Array(Math.min(FILE_CHUNK, end - at));
        const n = await file.read(chunk);
        if (n === null) break;
        await writer.write(chunk.subarray(0, n));
        at += n;
      }
      return at - start;
    } finally {
      file.close();
    }
  }
}
