/** How a message looks in the API: a commit, and the entry it shows. */

import { z } from "@hono/zod-openapi";
import { called, id, time } from "./schemas.ts";

const text = z.string();
/** What somebody wrote: null for a session that did not say why it must read it. */
const written = z.string().nullable();
const jamiId = id.nullable();
const deviceId = text.nullable().openapi({ description: "64 hex digits" });

/** What stands around texts and files. */
const around = {
  replyTo: id.nullable().openapi({ description: "the message it answers; it need not be here" }),
  reactions: z.array(z.object({ id, author: text, body: written })),
};

const textEntry = z.object({
  kind: z.literal("text"),
  text: written.openapi({
    description: "as it stands now; empty when it was deleted; null = hidden from this session",
  }),
  edited: z.boolean(),
  deleted: z.boolean(),
  history: z.array(z.object({ text, timestamp: time })).openapi({ description: "what it said before, oldest first" }),
  ...around,
});

const fileEntry = z.object({
  kind: z.literal("file"),
  file: z.object({
    fileId: text.openapi({ description: "empty when it was deleted" }),
    name: written.openapi({ description: "as the sender called it: not a path; null = hidden" }),
    size: z.int().nullable().openapi({ description: "bytes" }),
    sha3: text.openapi({ description: "SHA3-512, hex" }),
    deleted: z.boolean(),
  }),
  ...around,
});

const callEntry = z.object({
  kind: z.literal("call"),
  call: z.object({
    duration: z.int().nullable().openapi({ description: "milliseconds; null: not over, or not told" }),
    active: z.boolean(),
    host: text.nullable(),
    device: text.nullable(),
    confId: text.nullable(),
    to: text.nullable(),
    reason: text.nullable(),
  }),
});

const documentEntry = z.object({
  kind: z.literal("document"),
  document: z.object({ documentId: text, name: written, mimeType: text, removed: z.boolean() }),
});

const entry = z.discriminatedUnion("kind", [
  textEntry,
  fileEntry,
  callEntry,
  documentEntry,
  z.object({ kind: z.literal("member"), member: z.object({ action: text, jamiId, deviceId }) }),
  z.object({ kind: z.literal("vote"), vote: z.object({ jamiId, deviceId }) }),
  z.object({ kind: z.literal("initial"), mode: z.int().nullable() }),
  z.object({ kind: z.literal("edit"), target: id, text: written }),
  z.object({ kind: z.literal("reaction"), target: id, body: written }),
  z.object({ kind: z.enum(["profile", "merge", "unknown"]) }),
]).openapi("Entry");

/** A commit as a message. */
export const message = z.object({
  id,
  type: text.openapi({ example: "text/plain" }),
  author: id,
  authorName: called.name,
  body: written.openapi({
    description: "the text of a text/plain as it was first written, else the commit's message as it stands; " +
      "null = hidden from this session",
  }),
  timestamp: time,
  parents: z.array(id),
  entry,
}).openapi("Message");
