/** What the console asks of the settings: all of the one schema in config.ts, with where each value came from. */

import type { Doer } from "./node_api.ts";
import type { SettingGroup, SettingKind } from "./setting_traits.ts";

export type { SettingGroup, SettingKind } from "./setting_traits.ts";

/** A value as people write it; null = none. Sizes are texts such as "256M" or numbers of bytes. */
export type SettingValue = string | number | boolean | string[] | null;

/** One setting. */
export interface SettingInfo {
  key: string;
  group: SettingGroup;
  kind: SettingKind;
  /** what it does, in English */
  meaning: string;
  flag: string;
  variable: string;
  /** the form of a value: "HOST:PORT" */
  placeholder: string;
  /** the values of a choice; empty for all else */
  choices: string[];
  fallback: SettingValue;
  /** what the node runs with; of a secret null */
  value: SettingValue;
  /** it is told to nobody */
  secret: boolean;
  source: "flag" | "environment" | "file" | "default";
  /** what overrides the file, so that it cannot be changed here: "--name", "KITUO_NAME"; "" = nothing does */
  fixedBy: string;
  /** it can be set only where the node is started, for the rights of its process follow from it */
  outside: boolean;
  effect: "at once" | "restart";
  /** does the next start have another value? */
  pending: boolean;
  /** that value; the same as `value` when nothing is pending */
  next: SettingValue;
}

/** All settings. */
export interface SettingsState {
  settings: SettingInfo[];
  /** something waits for a restart */
  restart: boolean;
  /** path of the settings file */
  file: string;
  /** why the next start would fail: somebody has written the file by hand; "" = it would not */
  problem: string;
}

/** A value that cannot be used. */
export interface SettingProblem {
  key: string;
  message: string;
}

/** What came of a change: all of it, or nothing. */
export type SettingsChange = { ok: true; state: SettingsState } | { ok: false; problems: SettingProblem[] };

/** The settings. */
export interface SettingsApi {
  state(): SettingsState;
  /**
   * Writes values into the settings file, durably, and puts them to work as far as that goes without a restart. null takes a value out.
   * @throws {NodeError} "conflict" when the file cannot be read or written
   */
  change(values: Readonly<Record<string, SettingValue>>, doer: Doer): Promise<SettingsChange>;
}
