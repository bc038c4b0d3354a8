/** What the console asks about the files of one group: how many are kept, for how long, and what is in them. */

import type { Bytes } from "./base/bytes.ts";

/** How the files of a conversation are kept. */
export interface GroupFilesInfo {
  /** its own rules; null = as the node's settings say */
  quota: number | null;
  retentionDays: number | null;
  /** bytes that its files take now */
  used: number;
  /** what the node's settings say: bytes, and days (0 = for ever) */
  defaults: { quota: number; retentionDays: number };
  /** room for all files of the node, bytes: a quota above it means nothing */
  total: number;
}

/** What to change; what is not there stays, null takes a rule of its own away. */
export interface GroupFilesChanges {
  quota?: number | null;
  retentionDays?: number | null;
}

/** A file that is here. */
export interface FileContent {
  /** its sender's name for it: any characters */
  name: string;
  /** bytes */
  size: number;
  /** read from the disk as it is asked for */
  content: AsyncIterable<Bytes>;
}

/** The facet of the node. */
export interface GroupFilesApi {
  /** @throws {NodeError} "not found" */
  rules(conversationId: string): GroupFilesInfo;
  /** Files that no longer fit, or are too old now, are given up at once. @throws {NodeError} "not found", "conflict" when it was left */
  change(conversationId: string, changes: GroupFilesChanges): GroupFilesInfo;
  /** @param id the commit that announces it @throws {NodeError} "not found", also when it is not here yet, or any more */
  content(conversationId: string, id: string): Promise<FileContent>;
}
