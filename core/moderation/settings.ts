/** How the protections are set: all are off until somebody turns them on, and then they run dry first. */

import type { z } from "zod";
import { KituoError } from "../base/errors.ts";
import type { AccountId } from "../identity/ids.ts";
import type { ProtectionRow } from "../store/protections.ts";
import type { Store } from "../store/store.ts";
import { MAX_ALLOWED } from "./constants.ts";
import type { Protection } from "./protection.ts";
import { PROTECTIONS } from "./protections/index.ts";

/** Where the allowlist stands among the node's settings. */
const ALLOWLIST = "protections.allowlist";

/** The settings do not fit, or there is no such protection. */
export class UnfitSettings extends KituoError {
  constructor(readonly fault: "unknown" | "unfit", message: string) {
    super(message);
  }
}

/** A protection with how it is set. */
export interface SetProtection {
  protection: Protection;
  row: ProtectionRow;
  /** parsed by its own schema */
  settings: object;
}

/** What of it is changed. */
export type ProtectionChanges = Partial<Omit<ProtectionRow, "name" | "settings"> & { settings: object }>;

export class ProtectionSettings {
  readonly #set: Map<string, SetProtection>;
  #allowed: Set<AccountId>;

  constructor(private readonly store: Store, protections: readonly Protection[] = PROTECTIONS) {
    this.#set = new Map(protections.map((protection) => [protection.name, this.#read(protection)]));
    const listed: unknown = JSON.parse(store.settings.get(ALLOWLIST) ?? "[]");
    this.#allowed = new Set(Array.isArray(listed) ? listed.filter((one) => typeof one === "string") : []);
  }

  all(): SetProtection[] {
    return [...this.#set.values()];
  }

  /** @throws {UnfitSettings} */
  get(name: string): SetProtection {
    const set = this.#set.get(name);
    if (!set) throw new UnfitSettings("unknown", "there is no such protection");
    return set;
  }

  /** Changes what is given; of the protection's own settings, too, what is not given stays. @throws {UnfitSettings} */
  change(name: string, { settings, ...changes }: ProtectionChanges): SetProtection {
    const before = this.get(name);
    const parsed = before.protection.settings.safeParse({ ...before.settings, ...settings });
    if (!parsed.success) throw new UnfitSettings("unfit", explain(parsed.error));
    const row = { ...before.row, ...changes, settings: JSON.stringify(parsed.data) };
    this.store.protections.put(row);
    const set = { ...before, row, settings: parsed.data };
    this.#set.set(name, set);
    return set;
  }

  isAllowed(account: AccountId): boolean {
    return this.#allowed.has(account);
  }

  /** Accounts that no protection touches. */
  allowed(): AccountId[] {
    return [...this.#allowed].sort();
  }

  /** @throws {UnfitSettings} */
  allow(accounts: readonly AccountId[]): void {
    if (accounts.length > MAX_ALLOWED) throw new UnfitSettings("unfit", `at most ${MAX_ALLOWED} accounts`);
    this.store.settings.set(ALLOWLIST, JSON.stringify(accounts));
    this.#allowed = new Set(accounts);
  }

  /** What an older version kept, and this one does not understand, gives way to the defaults. */
  #read(protection: Protection): SetProtection {
    const row: ProtectionRow = this.store.protections.get(protection.name) ?? {
      name: protection.name,
      mode: "off",
      consequence: protection.consequence,
      banHours: 0,
      settings: "{}",
      conversations: [],
    };
    const kept = protection.settings.safeParse(JSON.parse(row.settings));
    return { protection, row, settings: kept.success ? kept.data : protection.settings.parse({}) };
  }
}

function explain(error: z.ZodError): string {
  const [{ path, message }] = error.issues;
  return path.length > 0 ? `${path.join(".")}: ${message}` : message;
}
