/** Files in a conversation's history: what announces one, and what deletes it (swarm-sync.md 6.1, swarm-repository.md 2.2). */

import { utf8 } from "../base/bytes.ts";
import type { Oid } from "./object.ts";

/** The type of commits that announce or delete a file. */
export const FILE_TYPE = "application/data-transfer+json";

/** Longest commit message that is looked into, UTF-16 units: a name of 255 characters, all escaped, fits several times. */
const MAX_MESSAGE = 16_384;
/** Characters of a name that are kept: file systems allow as many. */
const MAX_NAME = 255;
/** An extension of so many bytes or more does not go into the file id (6.1). */
const EXTENSION_TOO_LONG = 8;

/** A file as its sender announces it. */
export interface FileAnnouncement {
  kind: "announcement";
  /** What peers ask for: `<commit>_<tid>[.<ext>]`. It is a text to compare, never a path. */
  fileId: string;
  /** The sender's name for it, for people to read: any characters but controls, never a path. */
  name: string;
  /** Bytes. */
  size: number;
  /** SHA3-512 of the content, 128 hex digits. */
  sha3: string;
}

/** The end of a file. */
export interface FileDeletion {
  kind: "deletion";
  /** The commit that announced it. Whether the author may delete it is to be seen from the commit. */
  of: Oid;
}

/**
 * Reads the message of a commit of {@link FILE_TYPE}.
 * @returns `null` when it is neither an announcement nor a deletion: anybody may write anything, so it is no error
 */
export function readFileMessage(commit: Oid, message: string): FileAnnouncement | FileDeletion | null {
  const body = parseTexts(message);
  if (body?.get("type") !== FILE_TYPE) return null;
  const { tid = "", edit = "", sha3sum = "", totalSize = "", displayName = "" } = Object.fromEntries(body);
  if (edit !== "") return tid === "" && /^[0-9a-f]{40}$/.test(edit) ? { kind: "deletion", of: edit } : null;
  // 15 digits stay a whole number in JavaScript, and are a million gigabytes
  if (!/^[0-9]{1,20}$/.test(tid) || !/^[0-9a-f]{128}$/.test(sha3sum) || !/^[0-9]{1,15}$/.test(totalSize)) return null;
  return {
    kind: "announcement",
    fileId: fileIdOf(commit, tid, displayName),
    name: displayName.replace(/\p{Cc}/gu, " ").slice(0, MAX_NAME),
    size: Number(totalSize),
    sha3: sha3sum,
  };
}

/** The id under which peers ask for a file (6.1). */
export function fileIdOf(commit: Oid, tid: string, displayName: string): string {
  const dot = displayName.lastIndexOf(".");
  const extension = dot < 0 ? "" : displayName.slice(dot + 1);
  const isShort = extension !== "" && utf8(extension).length < EXTENSION_TOO_LONG;
  return `${commit}_${tid}${isShort ? `.${extension}` : ""}`;
}

/** The values of a JSON object that are texts. */
function parseTexts(message: string): Map<string, string> | null {
  if (message.length > MAX_MESSAGE) return null;
  try {
    const parsed: unknown = JSON.parse(message);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return null;
    const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === "string";
    return new Map(Object.entries(parsed).filter(isText));
  } catch {
    return null;
  }
}
