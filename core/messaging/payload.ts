/** What messages say: MIME type and text from and to typed values (swarm-sync.md 2.1, 2.3, 3.5). */

import { utf8 } from "../base/bytes.ts";
import { ProtocolError } from "../base/errors.ts";
import { type AccountId, type DeviceId, isAccountId, isDeviceId } from "../identity/ids.ts";
import type { ConversationId } from "./channel_name.ts";
import { MAX_METADATA_ENTRIES, MSG_MAX_METADATA, SIP_MAX_METADATA } from "./constants.ts";

/** Which messages a device understands: `msg` channels (today's peers) or `sip` ones (2023's). */
export type Generation = "msg" | "sip";

/** There is a new commit; `device` is where to fetch it, by its own word: only the TLS certificate says who sent this. */
export interface Notification {
  kind: "notification";
  conversation: ConversationId;
  commit: string;
  device: DeviceId;
}

/** An invitation into a group. Times are the inviter's word. */
export interface Invite {
  kind: "invite";
  conversation: ConversationId;
  /** `mode`, `title`, `description`, `avatar`. */
  metadatas: ReadonlyMap<string, string>;
  /** When it was written, milliseconds since 1970; today's peers only. */
  received?: number;
}

/** The sender wants to be invited (again). */
export interface InviteRequest {
  kind: "invite-request";
  conversation: ConversationId;
}

export interface Composing {
  kind: "composing";
  conversation: ConversationId;
  active: boolean;
}

/** The sender's account has displayed everything up to `commit`. */
export interface Displayed {
  kind: "displayed";
  conversation: ConversationId;
  commit: string;
}

/** The sender's status text. */
export interface PresenceNote {
  kind: "presence";
  note: string;
}

/** A text outside of any conversation. */
export interface TextMessage {
  kind: "text";
  body: string;
}

export interface UnknownPayload {
  kind: "unknown";
  type: string;
  body: string;
}

export type Payload =
  | Notification
  | Invite
  | InviteRequest
  | Composing
  | Displayed
  | PresenceNote
  | TextMessage
  | UnknownPayload;

const NOTIFICATION = "application/im-gitmessage-id";
const INVITE = "application/invite+json";
const INVITE_REQUEST = "application/invite";
const COMPOSING = "application/im-iscomposing+xml";
const DISPLAYED = "message/imdn+xml";
const PRESENCE = "application/pidf+xml";
const TEXT = "text/plain";

const XML = '<?xml version="1.0" encoding="utf-8" ?>\n';

/**
 * What a message says. Types are compared exactly (3.2), so one with parameters is `unknown`.
 * @throws {ProtocolError} when the text of a known type is not what the type demands
 */
export function readPayload(type: string, body: string): Payload {
  switch (type) {
    case NOTIFICATION:
      return readNotification(body);
    case INVITE:
      return readInvite(body);
    case INVITE_REQUEST:
      return { kind: "invite-request", conversation: checkedId(body.trim(), "conversation") };
    case COMPOSING:
      return {
        kind: "composing",
        conversation: checkedId(/<conversation>\s*(\w+)\s*<\/conversation>/.exec(body)?.[1], "conversation"),
        active: /<state>\s*(\w+)\s*<\/state>/.exec(body)?.[1] === "active",
      };
    case DISPLAYED:
      return readDisplayed(body);
    case PRESENCE:
      return { kind: "presence", note: /<basic>([^<]*)<\/basic>/.exec(body)?.[1] ?? "" };
    case TEXT:
      return { kind: "text", body };
    default:
      return { kind: "unknown", type, body };
  }
}

function error(message: string): ProtocolError {
  return new ProtocolError("payload", message);
}

/** Commits, conversations and accounts all have names of 40 hex digits. */
function checkedId(value: unknown, what: string): AccountId {
  if (!isAccountId(value)) throw error(`${what} is not 40 hex digits`);
  return value;
}

function readObject(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (cause) {
    throw new ProtocolError("payload", "not JSON", { cause });
  }
  if (!isObject(value)) throw error("not a JSON object");
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readNotification(body: string): Notification {
  const { commit, deviceId, id } = readObject(body);
  if (!isDeviceId(deviceId)) throw error("deviceId is not 64 hex digits");
  return {
    kind: "notification",
    conversation: checkedId(id, "id"),
    commit: checkedId(commit, "commit"),
    device: deviceId,
  };
}

function readInvite(body: string): Invite {
  const { conversationId, metadatas, received, receivedMs } = readObject(body);
  const invite: Invite = {
    kind: "invite",
    conversation: checkedId(conversationId, "conversationId"),
    metadatas: readMetadatas(metadatas),
  };
  const ms = isTime(receivedMs) ? receivedMs : isTime(received) ? received * 1000 : undefined;
  if (ms !== undefined) invite.received = ms;
  return invite;
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value < 1e14;
}

/** The texts among the metadata; what is no text, or too long, is left out. */
function readMetadatas(value: unknown): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, item] of isObject(value) ? Object.entries(value) : []) {
    if (typeof item === "string" && utf8(item).length < MSG_MAX_METADATA) out.set(key, item);
    if (out.size >= MAX_METADATA_ENTRIES) break;
  }
  return out;
}

function readDisplayed(body: string): Displayed | UnknownPayload {
  // Other notifications of the same type, e.g. "delivered", say nothing here (7).
  if (!body.includes("<displayed/>")) return { kind: "unknown", type: DISPLAYED, body };
  return {
    kind: "displayed",
    conversation: checkedId(/<conversation>\s*(\w+)\s*<\/conversation>/.exec(body)?.[1], "conversation"),
    commit: checkedId(/<message-id>\s*(\w+)\s*<\/message-id>/.exec(body)?.[1], "message-id"),
  };
}

/** MIME type and text of a message, in the form that peers of a generation write themselves. */
export function writePayload(payload: Payload, generation: Generation): { type: string; body: string } {
  switch (payload.kind) {
    case "notification":
      return { type: NOTIFICATION, body: writeNotification(payload, generation) };
    case "invite":
      return { type: INVITE, body: writeInvite(payload, generation) };
    case "invite-request":
      return { type: INVITE_REQUEST, body: payload.conversation };
    case "composing": {
      const state = payload.active ? "active" : "idle";
      const conversation = payload.conversation;
      return {
        type: COMPOSING,
        body: `${XML}<isComposing><state>${state}</state><conversation>${conversation}</conversation></isComposing>`,
      };
    }
    case "displayed":
      return {
        type: DISPLAYED,
        body: `${XML}<imdn><message-id>${payload.commit}</message-id>\n` +
          `<conversation>${payload.conversation}</conversation>` +
          `<display-notification><status><displayed/></status></display-notification>\n</imdn>`,
      };
    case "presence":
      return { type: PRESENCE, body: `<basic>${payload.note.replace(/[<>&]/g, " ")}</basic>` };
    case "text":
      return { type: TEXT, body: payload.body };
    case "unknown":
      return { type: payload.type, body: payload.body };
  }
}

function writeNotification({ commit, device, conversation }: Notification, generation: Generation): string {
  const object = { commit, deviceId: device, id: conversation };
  if (generation === "msg") return JSON.stringify(object);
  const lines = Object.entries(object).map(([key, value]) => `\t"${key}" : "${value}"`);
  return `{\n${lines.join(",\n")}\n}`;
}

function writeInvite(invite: Invite, generation: Generation): string {
  const fits = (value: string) =>
    generation === "msg"
      ? utf8(value).length < MSG_MAX_METADATA
      : utf8(JSON.stringify(value)).length <= SIP_MAX_METADATA;
  // A 2023 peer knows only these, and an avatar would fill its buffer.
  const known = (key: string) => generation === "msg" || ["mode", "title", "description"].includes(key);
  const metadatas = [...invite.metadatas].filter(([key, value]) => known(key) && fits(value));
  const times = generation === "msg" && invite.received !== undefined
    ? { received: Math.floor(invite.received / 1000), receivedMs: invite.received }
    : {};
  return JSON.stringify({
    conversationId: invite.conversation,
    metadatas: Object.fromEntries(metadatas),
    ...times,
  });
}
