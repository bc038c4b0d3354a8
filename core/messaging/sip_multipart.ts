/** The body of a SIP MESSAGE: one typed text, or several of them (swarm-sync.md 3.4, RFC 2046 5.1). */

import { strictText } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { MAX_MIME_TYPE, MULTIPART_MAX_PARTS } from "./constants.ts";
import { header, type SipRequest } from "./sip_message.ts";

/** A text with its MIME type, parameters included. */
export interface MessagePart {
  type: string;
  body: string;
}

/**
 * The texts of a request, sorted by type as the peers handle them; a single one for anything but `multipart/mixed`.
 * @throws {ProtocolError} when a text is not UTF-8, or the type or the parts are malformed
 */
export function messageParts(request: SipRequest): MessagePart[] {
  const type = checkedType(header(request, "content-type") ?? "text/plain");
  const body = strictText(request.body);
  if (body === null) throw error("the body is not UTF-8");
  if (!/^multipart\/mixed\s*(?:;|$)/i.test(type)) return [{ type, body }];
  const boundary = /;\s*boundary="?([^";]{1,70})"?/i.exec(type)?.[1];
  if (!boundary) throw error("multipart without a boundary");
  return split(body, boundary).map(parsePart).sort((a, b) => a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
}

function error(message: string): ProtocolError {
  return new ProtocolError("sip", message);
}

/** A MIME type as it is compared: `type/subtype;parameter`, no space after the semicolon (3.2). */
function checkedType(type: string): string {
  const out = type.trim().replace(/\s*;\s*/g, ";");
  // deno-lint-ignore no-control-regex -- control characters are what must not pass
  if (out.length > MAX_MIME_TYPE || !/^[^\s/;]+\/[^\s/;]+(?:;[^\x00-\x1f]*)?$/.test(out) || out.includes("\ufffd")) {
    throw error("malformed content type");
  }
  return out;
}

function split(body: string, boundary: string): string[] {
  const pieces = `\r\n${body}`.split(`\r\n--${boundary}`);
  if (pieces.length < 3) throw error("multipart without an end");
  if (pieces.length > MULTIPART_MAX_PARTS + 2) throw error("too many parts");
  const end = pieces.findIndex((piece, i) => i > 0 && piece.startsWith("--"));
  if (end < 2) throw error("multipart without an end");
  return pieces.slice(1, end);
}

function parsePart(piece: string): MessagePart {
  const start = piece.indexOf("\r\n");
  const end = piece.indexOf("\r\n\r\n", start);
  if (start < 0 || end < 0 || piece.slice(0, start).trim() !== "") throw error("malformed part");
  const type = /^content-type\s*:(.*)$/im.exec(piece.slice(start, end))?.[1];
  return { type: checkedType(type ?? "text/plain"), body: piece.slice(end + 4) };
}
