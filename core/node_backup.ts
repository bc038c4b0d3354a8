/** The node's back-ups: those that an admin fetches, and those that it makes by itself (`--backup-dir`). */

import { getLogger } from "@logtape/logtape";
import { join } from "node:path";
import { passphraseIn } from "./backup/ask_passphrase.ts";
import { BACKUP_ENDING } from "./backup/contents.ts";
import { BackupError } from "./backup/errors.ts";
import { backUp, backUpTo, prepareBackup, type PreparedBackup } from "./backup/make.ts";
import type { Bytes } from "./base/bytes.ts";
import { type Clock, every } from "./base/clock.ts";
import { messageOf } from "./base/errors.ts";
import { systemRandom } from "./base/random.ts";
import type { Config } from "./config.ts";
import { type BackupApi, type BackupOffer, type BackupRequest, type BackupSchedule, NodeError } from "./node_api.ts";

const log = getLogger(["kituo", "backup"]);

/** For how long a prepared back-up waits to be fetched, ms. */
const OFFER_MS = 5 * 60_000;
/** Back-ups that may wait: each was paid for with a second of work and holds a key. */
const MAX_OFFERS = 8;
/** Back-ups that are read at a time: each reads the whole disk. */
const MAX_RUNNING = 2;
/** How often it is looked whether a back-up is due, ms; and how soon after a start, so that a start is not slow. */
const LOOK_EVERY_MS = 5 * 60_000;
const FIRST_LOOK_MS = 30_000;
/** Random bytes of an offer's id. */
const ID_BYTES = 16;

const HOUR_MS = 3_600_000;

interface Offer {
  prepared: PreparedBackup;
  name: string;
  expires: number;
}

export type BackupSettings = Pick<
  Config,
  "data" | "backupDir" | "backupEvery" | "backupKeep" | "backupPassphraseFile" | "backupFiles"
>;

export class NodeBackups implements BackupApi {
  readonly #offers = new Map<string, Offer>();
  #running = 0;
  #off: (() => void)[] = [];
  #making: Promise<void> | null = null;
  #problem = "";

  /** @throws {BackupError} when the settings want back-ups and do not say how to lock them */
  constructor(private readonly settings: BackupSettings, private readonly clock: Clock) {
    const { backupDir, backupPassphraseFile } = settings;
    if (backupDir !== undefined && backupPassphraseFile === undefined) {
      throw new BackupError("passphrase", "--backup-dir needs a passphrase: --backup-passphrase-file");
    }
  }

  /** Begins to make back-ups by itself, if it is to. */
  start(): void {
    if (this.settings.backupDir === undefined) return;
    const look = () => void this.look();
    this.#off = [this.clock.after(FIRST_LOOK_MS, look), every(this.clock, LOOK_EVERY_MS, look)];
  }

  /** A back-up that is being made ends with the process: its draft is overwritten by the next one. */
  stop(): void {
    this.#off.forEach((off) => off());
    this.#off = [];
    this.#offers.clear();
  }

  /** Makes a back-up if one is due; one at a time. */
  look(): Promise<void> {
    return this.#making ??= this.#makeIfDue().finally(() => this.#making = null);
  }

  async prepare({ passphrase, files }: BackupRequest): Promise<BackupOffer> {
    this.#forgetOld();
    if (this.#offers.size >= MAX_OFFERS) throw new NodeError("too many", "Too many back-ups wait to be fetched.");
    const prepared = await telling(() =>
      prepareBackup(this.settings.data, { passphrase, files, now: this.clock.now() })
    );
    const id = systemRandom.bytes(ID_BYTES).toHex(), name = nameOf(prepared), expires = this.clock.now() + OFFER_MS;
    this.#offers.set(id, { prepared, name, expires });
    return { id, name, files, expires: Math.floor(expires / 1000) };
  }

  take(id: string): { name: string; files: boolean; content: AsyncIterable<Bytes> } {
    this.#forgetOld();
    const offer = this.#offers.get(id);
    if (!offer) {
      throw new NodeError("not found", "There is no such back-up: it was fetched already, or waited too long.");
    }
    if (this.#running >= MAX_RUNNING) {
      throw new NodeError("conflict", "Other back-ups are being made: try again later.");
    }
    this.#offers.delete(id);
    const { prepared, name } = offer;
    return { name, files: prepared.about.files, content: this.#counted(backUp(this.settings.data, prepared)) };
  }

  async schedule(): Promise<BackupSchedule | null> {
    const { backupDir, backupEvery, backupKeep } = this.settings;
    if (backupDir === undefined) return null;
    return {
      folder: backupDir,
      every: backupEvery,
      keep: backupKeep,
      made: await this.#made(backupDir),
      problem: this.#problem,
    };
  }

  async *#counted(content: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
    this.#running++;
    try {
      yield* content;
    } catch (error) {
      log.error("a back-up broke off: {error}", { error });
      throw error;
    } finally {
      this.#running--;
    }
  }

  #forgetOld(): void {
    const now = this.clock.now();
    for (const [id, { expires }] of this.#offers) if (expires <= now) this.#offers.delete(id);
  }

  async #makeIfDue(): Promise<void> {
    const { backupDir = "", backupEvery } = this.settings;
    try {
      await Deno.mkdir(backupDir, { recursive: true, mode: 0o700 });
      const [newest] = await this.#made(backupDir);
      if (newest && this.clock.now() - newest.at * 1000 < backupEvery * HOUR_MS) return;
      await this.#make(backupDir);
      this.#problem = "";
    } catch (error) {
      this.#problem = messageOf(error);
      log.error("no back-up was made: {error}", { error });
    }
  }

  async #make(folder: string): Promise<void> {
    const { data, backupKeep, backupPassphraseFile = "", backupFiles } = this.settings;
    const passphrase = passphraseIn(backupPassphraseFile);
    const prepared = await prepareBackup(data, { passphrase, files: backupFiles, now: this.clock.now() });
    const name = nameOf(prepared);
    const size = await backUpTo(join(folder, name), data, prepared);
    log.info("backed up to {name}, {size} bytes", { name, size });
    for (const { name: old } of (await this.#made(folder)).slice(backupKeep)) await Deno.remove(join(folder, old));
  }

  /** The back-ups in the folder, the newest first; what else lies there is nobody's business. */
  async #made(folder: string): Promise<BackupSchedule["made"]> {
    try {
      const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).filter((name) =>
        NAME.test(name)
      );
      const made = await Promise.all(names.map(async (name) => {
        const { size } = await Deno.stat(join(folder, name));
        return { name, at: timeIn(name), size };
      }));
      return made.sort((a, b) => b.at - a.at);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }
}

const NAME = /^kituo-[0-9a-f]{8}-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.kituo-backup$/;

/** Whose and of when, so that names sort as times do. */
function nameOf({ about: { made, jamiId } }: PreparedBackup): string {
  const stamp = made.replace(/[-:]|\.\d+/g, "");
  return `kituo-${jamiId.slice(0, 8)}-${stamp}${BACKUP_ENDING}`;
}

/** The time in a name, seconds since 1970. */
function timeIn(name: string): number {
  const [, ...parts] = NAME.exec(name) ?? [];
  const [year, month, ...rest] = parts.map(Number);
  return Date.UTC(year, month - 1, rest[0], rest[1], rest[2], rest[3]) / 1000;
}

async function telling<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new NodeError(error.fault === "passphrase" ? "bad request" : "conflict", error.message, { cause: error });
  }
}
