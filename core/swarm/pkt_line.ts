/** pkt-lines: four hex digits of length, then the payload (swarm-sync.md 1.1). Pure. */

import { type Bytes, concat, text, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { PKT_MAX_BYTES } from "./git_limits.ts";

/** A pkt-line's payload, or a flush. */
export type Packet = Bytes | "flush";

/** `0000`. */
export const FLUSH: Bytes = utf8("0000");

const LENGTH_BYTES = 4;
const LENGTH_FORM = /^[0-9a-fA-F]{4}$/;

/**
 * One pkt-line.
 * @throws {RangeError} when the payload is too long for one
 */
export function pktLine(payload: string | Uint8Array): Bytes {
  const bytes = typeof payload === "string" ? utf8(payload) : payload;
  const length = bytes.length + LENGTH_BYTES;
  if (length > PKT_MAX_BYTES) throw new RangeError("pkt-line: too long");
  return concat(utf8(length.toString(16).padStart(LENGTH_BYTES, "0")), bytes);
}

/** A payload as text, without the newline at its end. */
export function lineOf(payload: Uint8Array): string {
  return text(payload).replace(/\n$/, "");
}

/** Packets from a stream that cuts them anywhere. Holds at most one packet that is not complete. */
export class PktDecoder {
  #rest: Uint8Array = new Uint8Array(0);

  /**
   * The packets that are complete now.
   * @throws {ProtocolError} when the stream is not of pkt-lines; it is of no use afterwards
   */
  push(chunk: Uint8Array): Packet[] {
    const bytes = this.#rest.length > 0 ? concat(this.#rest, chunk) : chunk;
    const out: Packet[] = [];
    let at = 0;
    while (at + LENGTH_BYTES <= bytes.length) {
      const digits = text(bytes.subarray(at, at + LENGTH_BYTES));
      const length = LENGTH_FORM.test(digits) ? parseInt(digits, 16) : NaN;
      if (length === 0) {
        out.push("flush");
        at += LENGTH_BYTES;
        continue;
      }
      if (!(length >= LENGTH_BYTES && length <= PKT_MAX_BYTES)) throw new ProtocolError("pkt-line", "bad length");
      if (at + length > bytes.length) break;
      out.push(bytes.slice(at + LENGTH_BYTES, at + length));
      at += length;
    }
    this.#rest = bytes.slice(at);
    return out;
  }

  /** Is a packet begun but not complete? */
  get incomplete(): boolean {
    return this.#rest.length > 0;
  }
}
