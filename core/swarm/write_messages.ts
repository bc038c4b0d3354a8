/** Writing what people say: texts, replies, reactions, edits, and any other plain type (swarm-repository.md 2.2, 4). */

import { jsonMessage, type MessageValue } from "./commit.ts";
import type { Oid } from "./object.ts";
import { requireWritingRole } from "./write_members.ts";
import { writeCommit, type WriteContext, WriteRefused, type Written } from "./write.ts";

/** Types with rules of their own: they are not written as plain messages. */
const NOT_PLAIN = new Set([
  "",
  "initial",
  "member",
  "vote",
  "merge",
  "application/update-profile",
  "application/checkpoint",
]);

/**
 * A message of any plain type: `body` has its `type` and keys.
 * @throws {WriteRefused} when we are no member, or the type is not a plain one
 */
export async function writeMessage(
  context: WriteContext,
  body: Readonly<Record<string, MessageValue>>,
): Promise<Written> {
  // 2023's daemon stops taking in a conversation at a text that is no Unicode.
  if (Object.values(body).some((value) => typeof value === "string" && !value.isWellFormed())) {
    throw new WriteRefused("not well-formed Unicode");
  }
  if (typeof body.type !== "string" || NOT_PLAIN.has(body.type)) throw new WriteRefused("not a plain message type");
  await requireWritingRole(context);
  return await writeCommit(context, { message: jsonMessage(body), certificates: "renew" });
}

/** A text, perhaps in reply to another message. @throws {WriteRefused} */
export function writeText(context: WriteContext, body: string, options: { replyTo?: Oid } = {}): Promise<Written> {
  const { replyTo } = options;
  return writeMessage(context, { type: "text/plain", body, ...(replyTo === undefined ? {} : { "reply-to": replyTo }) });
}

/** A reaction to a message. @throws {WriteRefused} */
export function writeReaction(context: WriteContext, target: Oid, body: string): Promise<Written> {
  return writeMessage(context, { type: "text/plain", body, "react-to": target });
}

/**
 * A new text for one of our own messages, or of our reactions; "" deletes it. In the form both generations of
 * daemons understand (10).
 * @param target the original commit, never another edit (6)
 * @throws {WriteRefused}
 */
export function writeEdit(context: WriteContext, target: Oid, body: string): Promise<Written> {
  return writeMessage(context, { type: "application/edited-message", body, edit: target });
}
