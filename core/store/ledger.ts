/** The delivery ledger (swarm-sync.md 8.2): what each member device is known to hold. What waits for it follows from that. */

import type { DatabaseSync } from "node:sqlite";
import { integerOf, type Row, textOf } from "./row.ts";

/** What a device is known to hold of a conversation. */
export interface DeviceHeads {
  conversation: string;
  device: string;
  /** Jami ID of the device's account */
  account: string;
  /** the commits it holds, with all before them; more than one when it merged what we merged otherwise */
  heads: string[];
  /** when that was learned, ms */
  at: number;
}

/** Reads and writes the ledger. */
export class Ledger {
  readonly #set;
  readonly #get;
  readonly #forConversation;
  readonly #forDevice;
  readonly #drop;

  constructor(db: DatabaseSync) {
    this.#set = db.prepare("INSERT OR REPLACE INTO device_heads VALUES (?, ?, ?, ?, ?)");
    this.#get = db.prepare("SELECT * FROM device_heads WHERE conversation = ? AND device = ?");
    this.#forConversation = db.prepare("SELECT * FROM device_heads WHERE conversation = ? ORDER BY device");
    this.#forDevice = db.prepare("SELECT * FROM device_heads WHERE device = ? ORDER BY conversation");
    this.#drop = db.prepare("DELETE FROM device_heads WHERE conversation = ?");
  }

  /** Notes what a device holds, in place of what was known before. */
  set(entry: DeviceHeads): void {
    this.#set.run(entry.conversation, entry.device, entry.account, entry.heads.join(" "), entry.at);
  }

  /** What a device is known to hold of a conversation. */
  get(conversation: string, device: string): DeviceHeads | undefined {
    const row = this.#get.get(conversation, device);
    return row && headsOf(row);
  }

  /** What each device is known to hold of a conversation. */
  forConversation(conversation: string): DeviceHeads[] {
    return this.#forConversation.all(conversation).map(headsOf);
  }

  /** What a device is known to hold of every conversation. */
  forDevice(device: string): DeviceHeads[] {
    return this.#forDevice.all(device).map(headsOf);
  }

  /** Forgets all about a conversation. */
  drop(conversation: string): void {
    this.#drop.run(conversation);
  }
}

function headsOf(row: Row): DeviceHeads {
  return {
    conversation: textOf(row, "conversation"),
    device: textOf(row, "device"),
    account: textOf(row, "account"),
    heads: textOf(row, "heads").split(" "),
    at: integerOf(row, "at"),
  };
}
