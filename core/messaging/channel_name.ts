/** Channel names (connection.md 9): what a channel is for, and with what parameters. */

import { utf8 } from "../base/bytes.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import { MAX_CHANNEL_NAME } from "./constants.ts";

/** The id of a conversation: 40 hex digits, the id of its first commit. */
export type ConversationId = string;

/** A channel name, by purpose. `device` is the acceptor's device, unless it is said to be the opener's. */
export type ChannelName =
  | { kind: "sip" }
  | { kind: "git"; device: DeviceId; conversation: ConversationId }
  | { kind: "msg"; device: DeviceId }
  | { kind: "swarm"; conversation: ConversationId }
  | { kind: "sync"; device: DeviceId }
  /** The opener, whose device is `device`, wants a file. `start` and `end` are byte offsets, 0 = not given. */
  | { kind: "file"; conversation: ConversationId; device: DeviceId; fileId: string; start: number; end: number }
  /** The opener wants the profile of `account`. */
  | { kind: "profile-request"; conversation: ConversationId; account: AccountId }
  /** The opener, whose device is `device`, sends its profile. */
  | { kind: "profile"; conversation: ConversationId; device: DeviceId; version: ProfileVersion | null }
  /** Another device of the own account sends the account's profile. */
  | { kind: "own-profile"; version: ProfileVersion | null }
  | { kind: "service-query" }
  | { kind: "service"; service: string }
  | { kind: "document"; device: DeviceId; document: string }
  | { kind: "link-device"; code: string }
  /** Anything else: to be declined. */
  | { kind: "unknown"; name: string };

/** Which version of a profile is sent: SHA-3 of it in lower-case hex, and when it was changed, seconds since 1970. */
export interface ProfileVersion {
  sha3: string;
  modified: number;
}

const DEVICE = "[0-9a-f]{64}";
const ID = "[0-9a-f]{40}";
const NUMBER = "\\d{1,15}";
const VERSION = `(?:\\?sha3=([0-9a-f]{1,128})&modified=(${NUMBER}))?`;
/**
 * `<commit>_<tid>[.<ext>]` (6.1). An extension never holds what would end the name or lead out of a folder. It may hold a blank: what follows the last
 * dot of "Report v1.2 final" is one.
 */
const FILE = `${ID}_\\d{1,20}(?:\\.(?:[^./\\\\?&#\\s\\p{C}]| ){1,7})?`;

type Reader = [RegExp, (match: string[]) => ChannelName];

/** One row for each name of connection.md 9. */
const READERS: Reader[] = [
  [/^sip$/, () => ({ kind: "sip" })],
  [exact(`git://(${DEVICE})/(${ID})`), ([, device, conversation]) => ({ kind: "git", device, conversation })],
  [exact(`msg:(${DEVICE})`), ([, device]) => ({ kind: "msg", device })],
  [exact(`swarm://(${ID})`), ([, conversation]) => ({ kind: "swarm", conversation })],
  [exact(`sync://(${DEVICE})`), ([, device]) => ({ kind: "sync", device })],
  [
    exact(`data-transfer://profile\\.vcf${VERSION}`),
    ([, sha3, modified]) => ({ kind: "own-profile", version: profileVersion(sha3, modified) }),
  ],
  [
    exact(`data-transfer://(${ID})/profile/(${ID})\\.vcf`),
    ([, conversation, account]) => ({ kind: "profile-request", conversation, account }),
  ],
  [
    exact(`data-transfer://(${ID})/(${DEVICE})/profile\\.vcf${VERSION}`),
    ([, conversation, device, sha3, modified]) => ({
      kind: "profile",
      conversation,
      device,
      version: profileVersion(sha3, modified),
    }),
  ],
  [
    exact(`data-transfer://(${ID})/(${DEVICE})/(${FILE})(?:\\?start=(${NUMBER})&end=(${NUMBER}))?`),
    ([, conversation, device, fileId, start = "0", end = "0"]) => ({
      kind: "file",
      conversation,
      device,
      fileId,
      start: Number(start),
      end: Number(end),
    }),
  ],
  [/^svcdisc:\/\/query$/, () => ({ kind: "service-query" })],
  [exact("svc://([0-9A-Za-z-]{1,64})"), ([, service]) => ({ kind: "service", service })],
  [exact(`ydoc://(${DEVICE})/([0-9A-Za-z_-]{1,128})`), ([, device, document]) => ({
    kind: "document",
    device,
    document,
  })],
  [exact("auth:([0-9A-Za-z_-]{1,128})"), ([, code]) => ({ kind: "link-device", code })],
];

function exact(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`, "u");
}

function profileVersion(sha3: string | undefined, modified: string | undefined): ProfileVersion | null {
  return sha3 === undefined ? null : { sha3, modified: Number(modified) };
}

/** What a channel name says. A name that is too long, malformed or of no known kind is `unknown`: never an error. */
export function parseChannelName(name: string): ChannelName {
  // Every character is at least one byte, so the first test bounds the work of the second.
  if (name.length <= MAX_CHANNEL_NAME && utf8(name).length <= MAX_CHANNEL_NAME) {
    for (const [pattern, read] of READERS) {
      const match = pattern.exec(name);
      if (match) return read(match);
    }
  }
  return { kind: "unknown", name };
}

/** The text of a channel name. */
export function writeChannelName(name: ChannelName): string {
  switch (name.kind) {
    case "sip":
      return "sip";
    case "git":
      return `git://${name.device}/${name.conversation}`;
    case "msg":
      return `msg:${name.device}`;
    case "swarm":
      return `swarm://${name.conversation}`;
    case "sync":
      return `sync://${name.device}`;
    case "file": {
      const range = name.start || name.end ? `?start=${name.start}&end=${name.end}` : "";
      return `data-transfer://${name.conversation}/${name.device}/${name.fileId}${range}`;
    }
    case "profile-request":
      return `data-transfer://${name.conversation}/profile/${name.account}.vcf`;
    case "profile":
      return `data-transfer://${name.conversation}/${name.device}/profile.vcf${versionText(name.version)}`;
    case "own-profile":
      return `data-transfer://profile.vcf${versionText(name.version)}`;
    case "service-query":
      return "svcdisc://query";
    case "service":
      return `svc://${name.service}`;
    case "document":
      return `ydoc://${name.device}/${name.document}`;
    case "link-device":
      return `auth:${name.code}`;
    case "unknown":
      return name.name;
  }
}

function versionText(version: ProfileVersion | null): string {
  return version ? `?sha3=${version.sha3}&modified=${version.modified}` : "";
}
