/** RFC 4571 frames: a 2-byte length before each piece of a TCP stream (connection.md 4.2). */

import { type Bytes, concat } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { MAX_FRAME } from "./constants.ts";

/** The bytes cut into frames of at most 65,535 bytes, headers in place; nothing for no bytes. */
export function framed(bytes: Uint8Array): Bytes {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_FRAME) {
    const part = bytes.subarray(at, at + MAX_FRAME);
    parts.push(Uint8Array.of(part.length >> 8, part.length & 0xff), part);
  }
  return concat(...parts);
}

/** Puts a stream that TCP cuts anywhere back into frames. */
export class FrameSplitter {
  #rest: Uint8Array = new Uint8Array(0);

  /** Largest frame accepted from now on; until ICE is done a small one, so that a stranger cannot make us hold much. */
  limit: number;

  constructor(limit = MAX_FRAME) {
    this.limit = limit;
  }

  /**
   * The frames that are complete now, without their headers, as views of the input.
   * @throws {ProtocolError} on a frame over the limit; the stream is of no use afterwards
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const bytes = this.#rest.length ? concat(this.#rest, chunk) : chunk;
    const out: Uint8Array[] = [];
    let at = 0;
    while (at + 2 <= bytes.length) {
      const length = bytes[at] << 8 | bytes[at + 1];
      if (length > this.limit) throw new ProtocolError("frame", `${length} bytes, ${this.limit} allowed`);
      if (at + 2 + length > bytes.length) break;
      out.push(bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    this.#rest = bytes.slice(at);
    return out;
  }
}
