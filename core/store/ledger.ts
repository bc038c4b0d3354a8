/** The delivery ledger (swarm-sync.md 8.2): what each member device is known to hold, and which still wait for news. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, type Row, textOf } from "./row.ts";

/** What a device is known to hold of a conversation. */
export interface DeviceHead {
  conversation: string;
  device: string;
  /** Jami ID of the device's account */
  account: string;
  /** the commit it had as head */
  head: string;
  /** when that was learned, ms */
  at: number;
}

/** A notification that a device has not been given yet: of the newest commit only. */
export interface PendingNotification {
  conversation: string;
  device: string;
  commit: string;
  /** since when it waits, ms */
  at: number;
}

/** Reads and writes the ledger. */
export class Ledger {
  readonly #set;
  readonly #get;
  readonly #forConversation;
  readonly #forDevice;
  readonly #setPending;
  readonly #pendingForDevice;
  readonly #pendingForConversation;
  readonly #clearPending;
  readonly #clearAny;
  readonly #dropHeads;
  readonly #dropPending;

  constructor(db: DatabaseSync, private readonly transaction: <T>(work: () => T) => T) {
    this.#set = db.prepare("INSERT OR REPLACE INTO device_heads VALUES (?, ?, ?, ?, ?)");
    this.#get = db.prepare("SELECT * FROM device_heads WHERE conversation = ? AND device = ?");
    this.#forConversation = db.prepare("SELECT * FROM device_heads WHERE conversation = ? ORDER BY device");
    this.#setPending = db.prepare("INSERT OR REPLACE INTO pending_notifications VALUES (?, ?, ?, ?)");
    this.#pendingForDevice = db.prepare("SELECT * FROM pending_notifications WHERE device = ? ORDER BY conversation");
    this.#pendingForConversation = db.prepare(
      "SELECT * FROM pending_notifications WHERE conversation = ? ORDER BY device",
    );
    this.#clearPending = db.prepare(
      "DELETE FROM pending_notifications WHERE device = ? AND conversation = ? AND commit_id = ?",
    );
    this.#clearAny = db.prepare("DELETE FROM pending_notifications WHERE device = ? AND conversation = ?");
    this.#dropHeads = db.prepare("DELETE FROM device_heads WHERE conversation = ?");
    this.#dropPending = db.prepare("DELETE FROM pending_notifications WHERE conversation = ?");
    this.#forDevice = db.prepare("SELECT * FROM device_heads WHERE device = ? ORDER BY conversation");
  }

  /** Notes what a device holds, in place of what was known before. */
  set(entry: DeviceHead): void {
    this.#set.run(entry.conversation, entry.device, entry.account, entry.head, entry.at);
  }

  /** What a device is known to hold of a conversation. */
  get(conversation: string, device: string): DeviceHead | undefined {
    const row = this.#get.get(conversation, device);
    return row && headOf(row);
  }

  /** What each device is known to hold of a conversation. */
  forConversation(conversation: string): DeviceHead[] {
    return this.#forConversation.all(conversation).map(headOf);
  }

  /** What a device is known to hold of every conversation. */
  forDevice(device: string): DeviceHead[] {
    return this.#forDevice.all(device).map(headOf);
  }

  /** Notes that a device is to be told of a commit; an older note of the same conversation is replaced. */
  setPending(entry: PendingNotification): void {
    this.#setPending.run(entry.device, entry.conversation, entry.commit, entry.at);
  }

  /** All that waits for a device. */
  pendingForDevice(device: string): PendingNotification[] {
    return this.#pendingForDevice.all(device).map(pendingOf);
  }

  /** All devices that wait for news of a conversation. */
  pendingForConversation(conversation: string): PendingNotification[] {
    return this.#pendingForConversation.all(conversation).map(pendingOf);
  }

  /**
   * Notes that a device was told.
   * @param commit only if this is still the commit that waits: a newer one may have come while it was being sent
   */
  clearPending(conversation: string, device: string, commit?: string): void {
    if (commit === undefined) this.#clearAny.run(device, conversation);
    else this.#clearPending.run(device, conversation, commit);
  }

  /** Forgets all about a conversation. */
  drop(conversation: string): void {
    this.transaction(() => {
      this.#dropHeads.run(conversation);
      this.#dropPending.run(conversation);
    });
  }
}

function headOf(row: Row): DeviceHead {
  return {
    conversation: textOf(row, "conversation"),
    device: textOf(row, "device"),
    account: textOf(row, "account"),
    head: textOf(row, "head"),
    at: integerOf(row, "at"),
  };
}

function pendingOf(row: Row): PendingNotification {
  return {
    conversation: textOf(row, "conversation"),
    device: textOf(row, "device"),
    commit: textOf(row, "commit_id"),
    at: integerOf(row, "at"),
  };
}
