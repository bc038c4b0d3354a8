/**
 * SIP/2.0 messages as a byte stream (swarm-sync.md 3, RFC 3261 7 and 18.3): `Content-Length` delimits them, and nothing becomes a
 * string before its end is known.
 */

import { type Bytes, concat, text, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { SIP_MAX_HEAD, SIP_MAX_HEADERS, SIP_MAX_IN } from "./constants.ts";

/** Headers in order, names as they are written. `Content-Length` is not among them: it follows from the body. */
export type SipHeaders = readonly (readonly [name: string, value: string])[];

export interface SipRequest {
  kind: "request";
  /** In the case it was written in, e.g. `MESSAGE`. */
  method: string;
  uri: string;
  headers: SipHeaders;
  body: Bytes;
}

export interface SipResponse {
  kind: "response";
  /** 100 to 699. */
  status: number;
  reason: string;
  headers: SipHeaders;
  body: Bytes;
}

export type SipMessage = SipRequest | SipResponse;

/** The one-letter names of RFC 3261 7.3.3. */
const COMPACT: Record<string, string> = {
  c: "content-type",
  e: "content-encoding",
  f: "from",
  i: "call-id",
  k: "supported",
  l: "content-length",
  m: "contact",
  s: "subject",
  t: "to",
  v: "via",
};

const TOKEN = /^[!%'*+.`~\w-]+$/;
const REQUEST_LINE = /^([!%'*+.`~\w-]+) (\S+) SIP\/2\.0$/;
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/s;

const CR = 13;
const LF = 10;

function error(message: string): ProtocolError {
  return new ProtocolError("sip", message);
}

function canonical(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT[lower] ?? lower;
}

/** The first value of a header; `name` in lower case and long. Compact forms are found too. */
export function header(message: SipMessage, name: string): string | undefined {
  return message.headers.find(([n]) => canonical(n) === name)?.[1];
}

/** All values of a header, in order. */
export function headers(message: SipMessage, name: string): string[] {
  return message.headers.filter(([n]) => canonical(n) === name).map(([, value]) => value);
}

/** The bytes of a message. `Content-Length` comes last and padded as the peers write it (3.2, 3.3). */
export function encodeSip(message: SipMessage): Bytes {
  const start = message.kind === "request"
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
  const length = String(message.body.length).padStart(message.kind === "request" ? 5 : 2);
  const lines = [start, ...message.headers.map(([name, value]) => `${name}: ${value}`), `Content-Length: ${length}`];
  return concat(utf8(lines.join("\r\n") + "\r\n\r\n"), message.body);
}

/** Messages out of a stream that cuts them anywhere. */
export class SipStream {
  /** What is not treated yet is `#buffer[#start .. #end]`. */
  #buffer = new Uint8Array(4096);
  #start = 0;
  #end = 0;
  /** Up to where the end of the head was looked for. */
  #searched = 0;
  #head: Head | null = null;
  #bodyStart = 0;

  /**
   * The messages that are complete now.
   * @throws {ProtocolError} when the stream is not SIP or a message is too long; the stream is of no use afterwards
   */
  push(chunk: Uint8Array): SipMessage[] {
    this.#append(chunk);
    const out: SipMessage[] = [];
    for (let message = this.#next(); message; message = this.#next()) out.push(message);
    return out;
  }

  #append(chunk: Uint8Array): void {
    if (this.#start) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#searched -= this.#start;
      this.#bodyStart -= this.#start;
      this.#end -= this.#start;
      this.#start = 0;
    }
    const length = this.#end + chunk.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#end);
    this.#end = length;
  }

  #next(): SipMessage | null {
    this.#head ??= this.#readHead();
    const head = this.#head;
    if (!head || this.#end < this.#bodyStart + head.length) return null;
    this.#start = this.#bodyStart + head.length;
    this.#searched = this.#start;
    this.#head = null;
    return { ...head.start, headers: head.headers, body: this.#buffer.slice(this.#bodyStart, this.#start) };
  }

  #readHead(): Head | null {
    const b = this.#buffer;
    // Empty lines between messages are no error (RFC 3261 7.5).
    while (this.#start < this.#end && (b[this.#start] === CR || b[this.#start] === LF)) this.#start++;
    this.#searched = Math.max(this.#searched, this.#start);
    const end = this.#findHeadEnd();
    if ((end < 0 ? this.#end : end) - this.#start > SIP_MAX_HEAD) throw error("head too long");
    if (end < 0) return null;
    const head = parseHead(text(b.subarray(this.#start, end)));
    this.#bodyStart = end + 4;
    if (this.#bodyStart - this.#start + head.length > SIP_MAX_IN) throw error("message too long");
    return head;
  }

  #findHeadEnd(): number {
    const b = this.#buffer;
    for (let i = this.#searched; i + 3 < this.#end; i++) {
      if (b[i] === CR && b[i + 1] === LF && b[i + 2] === CR && b[i + 3] === LF) return i;
    }
    this.#searched = Math.max(this.#searched, this.#end - 3);
    return -1;
  }
}

type Start = Pick<SipRequest, "kind" | "method" | "uri"> | Pick<SipResponse, "kind" | "status" | "reason">;

interface Head {
  start: Start;
  headers: [string, string][];
  /** Of the body, bytes. */
  length: number;
}

function parseHead(head: string): Head {
  const [first, ...lines] = unfolded(head);
  if (lines.length > SIP_MAX_HEADERS) throw error("too many headers");
  const headers: [string, string][] = [];
  let length: number | undefined;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trimEnd();
    const value = line.slice(colon + 1).trim();
    if (!TOKEN.test(name) || /[\r\n\0]/.test(value)) throw error("malformed header");
    if (canonical(name) !== "content-length") headers.push([name, value]);
    else if (!/^\d{1,6}$/.test(value) || (length !== undefined && length !== Number(value))) {
      throw error("wrong Content-Length");
    } else length = Number(value);
  }
  // On a stream nobody could tell where such a message ends (RFC 3261 18.3).
  if (length === undefined) throw error("no Content-Length");
  return { start: parseStart(first), headers, length };
}

/** The lines of a head; a line that begins with white space continues the one before (RFC 3261 7.3.1). */
function unfolded(head: string): string[] {
  const lines: string[] = [];
  for (const line of head.split("\r\n")) {
    if (/^[ \t]/.test(line) && lines.length > 1) lines.push(`${lines.pop()} ${line.trim()}`);
    else lines.push(line);
  }
  return lines;
}

function parseStart(line: string): Start {
  const status = STATUS_LINE.exec(line);
  if (status) return { kind: "response", status: Number(status[1]), reason: status[2] ?? "" };
  const request = REQUEST_LINE.exec(line);
  if (request) return { kind: "request", method: request[1], uri: request[2] };
  throw error("malformed start line");
}

/** Everything before a `;` parameter that is not inside quotes or angle brackets. */
const ADDRESS = /^\s*(?:"(?:[^"\\]|\\.)*"\s*|[^"<;]*)<sips?:([^@<>\s;]+)@[^<>]*>|^\s*sips?:([^@<>\s;]+)@/i;

/** The user part of a `From` or `To` value, e.g. an account id; `null` when there is none. */
export function userOf(address: string): string | null {
  const match = ADDRESS.exec(address);
  return match ? match[1] ?? match[2] : null;
}

/** A parameter of a header value, e.g. the `branch` of a `Via`; `null` when it is not there. */
export function parameter(value: string, name: string): string | null {
  for (const part of value.split(";").slice(1)) {
    const [key, content] = part.split("=", 2);
    if (key.trim().toLowerCase() === name) return (content ?? "").trim();
  }
  return null;
}

/** `host` and `port` of `1.2.3.4:5` or `[1::2]:5`. */
export function splitRemote(remote: string): { host: string; port: string } {
  const colon = remote.lastIndexOf(":");
  return { host: remote.slice(0, colon).replace(/^\[|\]$/g, ""), port: remote.slice(colon + 1) };
}

/**
 * The answer to a request, in the peers' shape (3.3); `null` when a header is missing without which there is no answer.
 * @param remote `address:port` that the request came from
 */
export function respond(request: SipRequest, status: number, reason: string, remote: string): SipResponse | null {
  const [via, ...moreVia] = headers(request, "via");
  const from = header(request, "from");
  const to = header(request, "to");
  if (via === undefined || from === undefined || to === undefined) return null;
  const out: [string, string][] = [
    ["Via", filledVia(via, remote)],
    ...moreVia.map((v): [string, string] => ["Via", v]),
  ];
  const callId = header(request, "call-id");
  const cseq = header(request, "cseq");
  if (callId !== undefined) out.push(["Call-ID", callId]);
  out.push(["From", from]);
  const tag = parameter(via, "branch");
  out.push(["To", parameter(to, "tag") === null && tag ? `${to};tag=${tag}` : to]);
  if (cseq !== undefined) out.push(["CSeq", cseq]);
  return { kind: "response", status, reason, headers: out, body: new Uint8Array(0) };
}

/** A `Via` with `rport` and `received` filled in (RFC 3581 4). */
function filledVia(via: string, remote: string): string {
  const { host, port } = splitRemote(remote);
  const filled = via.replace(/;rport(?=;|$)/i, () => `;rport=${port};received=${host}`);
  return filled === via ? `${via};received=${host}` : filled;
}
