/**
 * Commits from and to raw bytes (swarm-repository.md 2): the bytes are the only truth, nothing is normalised.
 * The signature header covers everything but itself.
 */

import { base64, type Bytes, concat, owned, strictText, text, utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { PrivateKey } from "../identity/keys.ts";
import { MAX_HEADER_BYTES, MAX_HEADER_LINES, MAX_MESSAGE_BYTES, MAX_PARENTS } from "./history_limits.ts";
import { type GitObject, hashObject, type Oid } from "./object.ts";

/** A message body: what the JSON of a commit message says. */
export type CommitBody = Record<string, unknown>;

/** One commit, parsed. */
export interface Commit {
  readonly id: Oid;
  readonly tree: Oid;
  readonly parents: readonly Oid[];
  /** The display name the writer gave; means nothing to the rules. */
  readonly authorName: string;
  /** The author's "e-mail": by rule a {@link DeviceId}, but here whatever stands there. */
  readonly device: DeviceId;
  /** Committer time, seconds since 1970: the one that git and libgit2 call the commit's time. */
  readonly timestamp: number;
  /** Raw signature; empty when the header is not base64, `null` when there is none. */
  readonly signature: Bytes | null;
  /** The bytes that the signature covers. */
  readonly payload: Bytes;
  /** The exact message (bytes that are not UTF-8 become U+FFFD; `payload` has them). */
  readonly message: string;
  /** The message as a JSON object, or `null` when it is none. */
  readonly body: CommitBody | null;
  /** `type` of the body; "merge" for two or more parents; "" when there is none. */
  readonly type: string;
}

/** What {@link buildCommit} needs. */
export interface CommitFields {
  tree: Oid;
  parents: readonly Oid[];
  /** Display name, as it stands: see {@link signatureName}. */
  name: string;
  device: DeviceId;
  /** Seconds since 1970. */
  timestamp: number;
  message: string;
}

/** Values a message body may hold: strings, and a number for `mode` (2). */
export type MessageValue = string | number;

const LF = 0x0a;
const SPACE = 0x20;
const OID_LINE = /^(tree|parent) ([0-9a-f]{40})$/;
const PERSON = /^(author|committer) ([^<>\0]*)<([^<>\0]*)> ([0-9]{1,15}) [+-][0-9]{4}$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Reads a commit object.
 * @param id its object id, taken over unchecked
 * @throws {ProtocolError} when it is no well-formed commit within the limits
 */
export function parseCommit(id: Oid, data: Uint8Array): Commit {
  const { lines, messageAt } = splitHeaders(data);
  let at = 0;
  const take = (pattern: RegExp, what: string): RegExpExecArray => {
    const match = at < lines.length ? pattern.exec(lines[at].value) : null;
    if (match === null || match[1] !== what) throw malformed(`no ${what} line in its place`);
    at++;
    return match;
  };
  const tree = take(OID_LINE, "tree")[2];
  const parents: Oid[] = [];
  while (at < lines.length && lines[at].value.startsWith("parent ")) {
    if (parents.length === MAX_PARENTS) throw malformed("too many parents");
    parents.push(take(OID_LINE, "parent")[2]);
  }
  const author = take(PERSON, "author");
  const committer = take(PERSON, "committer");
  const signature = findSignature(lines.slice(at));
  const messageBytes = data.subarray(messageAt);
  const message = text(messageBytes);
  const body = parseBody(messageBytes);
  return {
    id,
    tree,
    parents,
    authorName: author[2].replace(/ $/, ""),
    device: author[3],
    timestamp: Number(committer[4]),
    signature: signature && decodeSignature(signature.value.slice("signature ".length)),
    payload: signature ? concat(data.subarray(0, signature.start), data.subarray(signature.end)) : owned(data),
    message,
    body,
    type: parents.length > 1 ? "merge" : field(body, "type"),
  };
}

/** One header with its continuation lines joined, and where it stands: `[start, end)`, line ends included. */
interface Header {
  value: string;
  start: number;
  end: number;
}

function splitHeaders(data: Uint8Array): { lines: Header[]; messageAt: number } {
  const lines: Header[] = [];
  let start = 0;
  for (let count = 0;; count++) {
    const newline = data.subarray(0, MAX_HEADER_BYTES).indexOf(LF, start);
    if (newline < 0 || count === MAX_HEADER_LINES) throw malformed("headers do not end");
    if (newline === start) break;
    const last = lines.at(-1);
    if (data[start] === SPACE && last !== undefined) {
      last.value += text(data.subarray(start + 1, newline));
      last.end = newline + 1;
    } else lines.push({ value: text(data.subarray(start, newline)), start, end: newline + 1 });
    start = newline + 1;
  }
  if (data.length - start - 1 > MAX_MESSAGE_BYTES) throw malformed("message too long");
  return { lines, messageAt: start + 1 };
}

function findSignature(headers: Header[]): Header | null {
  const found = headers.filter((header) => header.value.startsWith("signature "));
  if (found.length > 1) throw malformed("more than one signature");
  return found[0] ?? null;
}

function decodeSignature(value: string): Bytes {
  return BASE64.test(value) ? Uint8Array.fromBase64(value) : new Uint8Array(0);
}

function parseBody(message: Uint8Array): CommitBody | null {
  const json = strictText(message);
  return json === null ? null : messageBody(json);
}

/** What the message of a commit says, or `null` when it is no JSON object. */
export function messageBody(message: string): CommitBody | null {
  if (!message.trimStart().startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === "object" && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

function malformed(why: string): ProtocolError {
  return new ProtocolError("commit", why);
}

/**
 * A value of a body as a text, the way every reader takes it (2: "to string"): numbers and truth values are written
 * out; what is missing or no plain value is "".
 */
export function field(body: CommitBody | null, key: string): string {
  if (body === null || !Object.hasOwn(body, key)) return "";
  const value = body[key];
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? `${value}` : "";
}

/** The message of a commit: compact JSON with keys in byte order and all non-ASCII escaped, as jsoncpp writes (2). */
export function jsonMessage(body: Readonly<Record<string, MessageValue>>): string {
  const members = Object.keys(body).sort(byCodePoint).map((key) =>
    `${JSON.stringify(key)}:${JSON.stringify(body[key])}`
  );
  return `{${members.join(",")}}`.replace(
    /[\u0080-\uffff]/g,
    (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

function byCodePoint(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i].codePointAt(0) ?? 0) - (right[i].codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * A display name as it may stand in a commit (2): without `<`, `>` and control characters, trimmed as libgit2 does;
 * the device id when nothing remains.
 */
export function signatureName(displayName: string, device: DeviceId): string {
  // deno-lint-ignore no-control-regex -- control characters are what must go
  const allowed = displayName.toWellFormed().replace(/[<>\u0000-\u001f\u007f]/g, "");
  const trimmed = allowed.replace(/^[ .,:;"'\\]+|[ .,:;"'\\]+$/g, "");
  return trimmed === "" ? device : trimmed;
}

/** Writes and signs a commit (2, 2.1). The same fields and key always give the same id. */
export async function buildCommit(fields: CommitFields, key: PrivateKey): Promise<GitObject> {
  const person = `${fields.name} <${fields.device}> ${fields.timestamp} +0000`;
  const headers = [
    `tree ${fields.tree}`,
    ...fields.parents.map((parent) => `parent ${parent}`),
    `author ${person}`,
    `committer ${person}`,
    "",
  ].join("\n");
  const message = `\n${fields.message}`;
  const signature = await key.sign(utf8(headers + message));
  const data = utf8(`${headers}signature ${base64(signature)}\n${message}`);
  return { oid: hashObject("commit", data), type: "commit", data };
}

/** The message of a merge commit; it names the second parent (2). */
export function mergeMessage(second: Oid): string {
  return `Merge commit '${second}'`;
}

/** What an account does with a member: the `action` of a `member` commit. */
export type MemberAction = "add" | "join" | "remove" | "ban" | "unban";

/** The message of a `member` commit. */
export function memberMessage(action: MemberAction, uri: AccountId | DeviceId): string {
  return jsonMessage({ type: "member", action, uri });
}
