/** One file from one member: the bytes of its channel go to disk as they come, and are hashed on the way (swarm-sync.md 6.2). */

import { type Clock, every } from "../base/clock.ts";
import type { Channel } from "../transport/channel.ts";
import type { Part } from "./blobs.ts";
import { DOWNLOAD_LEAST_BYTES, DOWNLOAD_WINDOW_MS } from "./constants.ts";

/** How the channel ended: with all bytes, before, with more than there should be, or by us because it was too slow. */
export type DownloadEnd = "whole" | "short" | "long" | "slow";

/**
 * Adds what the channel brings to the part until it ends; then the channel is closed. Only one frame is in memory, and the peer is held back while it
 * is written. What came stays in the part, for going on later, unless it is too long.
 * @param size bytes of the whole file
 */
export async function download(channel: Channel, part: Part, size: number, clock: Clock): Promise<DownloadEnd> {
  const reader = channel.readable.getReader();
  let isSlow = false;
  let before = part.size;
  const stop = every(clock, DOWNLOAD_WINDOW_MS, () => {
    isSlow = part.size - before < DOWNLOAD_LEAST_BYTES;
    before = part.size;
    if (isSlow) channel.close();
  });
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      if (part.size + value.length > size) return "long";
      await part.write(value);
    }
    if (part.size === size) return "whole";
    return isSlow ? "slow" : "short";
  } finally {
    stop();
    channel.close();
  }
}
