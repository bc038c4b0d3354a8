/** What is asked for a group, looked at before it is written: every member keeps it for good. */

import { type Bytes, fromBase64 } from "./base/bytes.ts";
import { pictureOf } from "./messaging/vcard.ts";
import { pictureSize } from "./messaging/picture_size.ts";
import { type CallHost, type MemberInfo, NodeError } from "./node_api.ts";
import type { Conversation as ConversationRecord } from "./store/conversations.ts";
import type { Store } from "./store/store.ts";

/** Pixels of a picture's longer side: a small file may unfold to gigabytes in the apps of all members. */
const MAX_SIDE = 2_048;

/** The record of a conversation that is or was here, and was not deleted. @throws {NodeError} "not found" */
export function knownConversation(store: Store, id: string): ConversationRecord {
  const record = store.conversations.get(id);
  if (record && !record.erased) return record;
  throw new NodeError("not found", "no such conversation");
}

/**
 * @param avatar a picture in base64; "" or nothing = none
 * @throws {NodeError} "unfit" when it is not a picture that apps can show
 */
export function checkPicture(avatar = ""): void {
  if (avatar === "") return;
  const data = bytesOf(avatar);
  const size = data && pictureOf(data) && pictureSize(data);
  if (!size) throw new NodeError("unfit", "The picture is neither a whole PNG nor a whole JPEG.");
  if (size.width > MAX_SIDE || size.height > MAX_SIDE) {
    throw new NodeError("unfit", `A picture may have ${MAX_SIDE} pixels on a side; this one has more.`);
  }
}

function bytesOf(base64: string): Bytes | null {
  try {
    return fromBase64(base64);
  } catch {
    return null;
  }
}

/** @throws {NodeError} "unfit" when the host is no device of a member: calls would ring nowhere */
export function checkHost(host: CallHost | null | undefined, member: MemberInfo | undefined): void {
  if (!host) return;
  if (member?.role !== "admin" && member?.role !== "member") {
    throw new NodeError("unfit", "The default host must be a member of the group.");
  }
  if (!member.devices.some(({ deviceId }) => deviceId === host.deviceId)) {
    throw new NodeError("unfit", "The member has no such device.");
  }
}
