/** The worker that copies the database: SQLite does it in one go, which takes a second for 200 MB. Started and stopped by snapshot.ts. */

import { backup, DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/errors.ts";

/** What the worker is told. */
export interface SnapshotOrder {
  /** a database that may be in use */
  from: string;
  /** an empty file */
  to: string;
}

/** What the worker answers: nothing that went wrong, or why. */
export type SnapshotAnswer = { failed: string | null };

/** All pages at once: a copy in steps would begin anew whenever somebody writes between two of them. */
const ALL_PAGES = -1;

interface Port {
  onmessage: ((event: MessageEvent<SnapshotOrder>) => void) | null;
  postMessage(message: SnapshotAnswer): void;
}

// reason: the type library describes the page's side of a worker
const port = self as unknown as Port;

port.onmessage = async ({ data: { from, to } }) => {
  try {
    const db = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
    try {
      await backup(db, to, { rate: ALL_PAGES });
    } finally {
      db.close();
    }
    port.postMessage({ failed: null });
  } catch (error) {
    port.postMessage({ failed: messageOf(error) });
  }
};
