/** What the HTTP face asks of a node about back-ups. */

import type { Bytes } from "./base/bytes.ts";

/** What a back-up is to be. */
export interface BackupRequest {
  /** nobody can open the file without it */
  passphrase: string;
  /** with the files that members sent? */
  files: boolean;
}

/** A back-up that waits to be fetched, once. */
export interface BackupOffer {
  id: string;
  /** what to call the file */
  name: string;
  files: boolean;
  expires: number;
}

/** Back-ups that the node makes by itself. */
export interface BackupSchedule {
  folder: string;
  /** hours */
  every: number;
  /** how many are kept */
  keep: number;
  /** those in the folder, the newest first */
  made: { name: string; at: number; size: number }[];
  /** why the last try failed; "" = it did not */
  problem: string;
}

/** Makes back-ups. */
export interface BackupApi {
  /** Gets ready for a back-up, which {@link take} gives. @throws {NodeError} "bad request" for the passphrase, "too many" */
  prepare(request: BackupRequest): Promise<BackupOffer>;
  /** The bytes of an offered back-up, made as they are read. @throws {NodeError} "not found", "conflict" while others are made */
  take(id: string): { name: string; files: boolean; content: AsyncIterable<Bytes> };
  /** What the settings say of back-ups that are made by themselves; null = none are. */
  schedule(): Promise<BackupSchedule | null>;
}
