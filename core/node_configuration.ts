/** The settings in the words of the HTTP API: all with where they came from; changed in the settings file, and at once where that goes. */

import { messageOf } from "./base/errors.ts";
import {
  type Config,
  ConfigError,
  formatHostPort,
  type HostPort,
  type Option,
  options,
  originsOf,
  problemOf,
} from "./config.ts";
import { type Doer, NodeError } from "./node_api.ts";
import type {
  SettingInfo,
  SettingProblem,
  SettingsApi,
  SettingsChange,
  SettingsState,
  SettingValue,
} from "./node_api_settings.ts";
import { settingsFile, writeSettings } from "./node_settings.ts";
import { SETTING_TRAITS } from "./setting_traits.ts";
import type { Audit } from "./store/audit.ts";

type Key = keyof Config;

/** Characters of one value that the audit trail keeps. */
const MAX_NOTED = 200;

export interface NodeConfigurationOptions {
  /** What the node runs with: the rooms were given functions that read it, and it is changed in place. */
  config: Config;
  audit: Pick<Audit, "append">;
  /** What stands in a file that these settings name is looked at before they are taken. @throws {ConfigError} */
  check(config: Config): Promise<void>;
  /** These have changed. */
  changed(keys: ReadonlySet<Key>): Promise<void>;
}

export class NodeConfiguration implements SettingsApi {
  /** One change at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: NodeConfigurationOptions) {}

  state(): SettingsState {
    const { config } = this.options;
    let next = config, problem = "";
    try {
      next = originsOf(config).again();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problem = error.message;
    }
    // reason: the table has exactly the keys of Config
    const order = Object.keys(SETTING_TRAITS) as Key[];
    const settings = order.flatMap((key) => {
      const option = options.find((one) => one.key === key);
      return option ? [settingInfo(option, config, next)] : [];
    });
    return { settings, restart: settings.some(({ pending }) => pending), file: settingsFile(config), problem };
  }

  change(values: Readonly<Record<string, SettingValue>>, doer: Doer): Promise<SettingsChange> {
    const mine = this.#last.then(() => this.#change(values, doer));
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #change(values: Readonly<Record<string, SettingValue>>, doer: Doer): Promise<SettingsChange> {
    const { config } = this.options;
    const problems = Object.entries(values).flatMap(([key, value]) => this.#objection(key, value) ?? []);
    if (problems.length > 0) return { ok: false, problems };
    const changes = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value ?? undefined]));
    const before = this.state();
    let next: Config;
    try {
      next = this.#next(changes, before);
      await this.options.check(next);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const [, key = "", message] = /^(?:.*: )?(\w+): (.*)$/s.exec(error.message) ?? [, "", error.message];
      return { ok: false, problems: [{ key, message }] };
    }
    writeSettings(config, changes);
    const live = Object.keys(changes).filter((key): key is Key => isKey(key) && SETTING_TRAITS[key].live === true);
    Object.assign(config, Object.fromEntries(live.map((key) => [key, next[key]])));
    this.#note(before, values, doer);
    await this.options.changed(new Set(live));
    return { ok: true, state: this.state() };
  }

  /** Why a value cannot be put there; null = it can. */
  #objection(key: string, value: SettingValue): SettingProblem | null {
    if (!isKey(key)) return { key, message: "There is no such setting." };
    const option = options.find((one) => one.key === key);
    const fixed = fixedBy(key, this.options.config);
    if (fixed !== "") return { key, message: `${fixed} says what it is: it can be changed only there.` };
    if (SETTING_TRAITS[key].outside || !option) {
      return { key, message: "It can be set only where the node is started, not at the console." };
    }
    const message = value === null ? null : problemOf(key, value);
    return message === null ? null : { key, message };
  }

  /**
   * @throws {ConfigError} when the values do not fit those that stand already
   * @throws {NodeError} "conflict" when the file has something else in it that cannot be used
   */
  #next(changes: Record<string, unknown>, { problem }: SettingsState): Config {
    try {
      return originsOf(this.options.config).again(changes);
    } catch (error) {
      if (!(error instanceof ConfigError) || problem === "") throw error;
      throw new NodeError("conflict", `The settings file cannot be used: ${messageOf(error)}`, { cause: error });
    }
  }

  #note({ settings }: SettingsState, values: Readonly<Record<string, SettingValue>>, doer: Doer): void {
    const told = (value: SettingValue) => JSON.stringify(value).slice(0, MAX_NOTED);
    for (const [key, value] of Object.entries(values)) {
      const old = settings.find((one) => one.key === key);
      const detail = old?.secret ? "changed" : `${told(old?.next ?? null)} → ${told(value)}`;
      this.options.audit.append({ ...doer, action: "settings.update", target: key, detail });
    }
  }
}

function isKey(key: string): key is Key {
  return Object.hasOwn(SETTING_TRAITS, key);
}

/** What overrides the settings file; "" = nothing does. */
function fixedBy(key: Key, config: Config): string {
  const origin = originsOf(config).of(key);
  return origin?.source === "flag" || origin?.source === "environment" ? origin.from : "";
}

function settingInfo({ key, meaning, flag, variable, placeholder, fallback }: Option, config: Config, later: Config) {
  const { group, kind, live, choices = [], secret = false, outside = false } = SETTING_TRAITS[key];
  const value = shown(config[key]), next = shown(later[key]);
  const info: SettingInfo = {
    key,
    group,
    kind,
    meaning: meaning.replaceAll("`", ""),
    flag,
    variable,
    placeholder,
    choices: [...choices],
    fallback: fallback ?? null,
    value: secret ? null : value,
    secret,
    source: originsOf(later).of(key)?.source ?? "default",
    fixedBy: fixedBy(key, config),
    outside,
    effect: live ? "at once" : "restart",
    pending: JSON.stringify(value) !== JSON.stringify(next),
    next: secret ? null : next,
  };
  return kind === "size" ? { ...info, value: sizeText(value), next: sizeText(next) } : info;
}

/** A value as people write it. */
function shown(value: Config[Key]): SettingValue {
  if (value === undefined) return null;
  if (value === "") return "none"; // a name server that is none
  if (typeof value === "object" && !Array.isArray(value)) return formatHostPort(value satisfies HostPort);
  return value;
}

/** Bytes with the largest unit that says them exactly. */
function sizeText(value: SettingValue): SettingValue {
  if (typeof value !== "number") return value;
  let unit = 0, rest = value;
  while (unit < 4 && rest > 0 && rest % 1024 === 0) {
    rest /= 1024;
    unit++;
  }
  return `${rest}${" KMGT"[unit].trim()}`;
}
