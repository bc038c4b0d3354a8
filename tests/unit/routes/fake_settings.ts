/** Two settings in memory, for the tests of the HTTP face. */

import type { SettingInfo, SettingsApi, SettingsChange, SettingsState, SettingValue } from "../../../core/node_api.ts";

export class FakeSettings implements SettingsApi {
  readonly values: Record<string, SettingValue> = { name: "K", dhtPort: 4222 };

  state(): SettingsState {
    const settings = Object.entries(this.values).map(([key, value]): SettingInfo => ({
      key,
      group: "identity",
      kind: key === "name" ? "text" : "number",
      meaning: "What it does.",
      flag: `--${key}`,
      variable: `KITUO_${key}`,
      placeholder: "X",
      choices: [],
      fallback: "Kituo",
      value,
      secret: false,
      source: "file",
      fixedBy: "",
      outside: false,
      effect: "at once",
      pending: false,
      next: value,
    }));
    return { settings, restart: false, file: "/data/kituo.json", problem: "" };
  }

  async change(values: Record<string, SettingValue>): Promise<SettingsChange> {
    await Promise.resolve();
    const wrong = Object.keys(values).filter((key) => !(key in this.values) || values[key] === "wrong");
    if (wrong.length > 0) return { ok: false, problems: wrong.map((key) => ({ key, message: `${key} is wrong` })) };
    Object.assign(this.values, values);
    return { ok: true, state: this.state() };
  }
}
