/** What the console knows of each setting besides its schema: where it stands, how it is written, when a change takes effect. */

import type { Config } from "./config.ts";

/** Parts of the page. */
export type SettingGroup = "identity" | "requests" | "files" | "network" | "console" | "backup" | "folders";

/** How a value is written. */
export type SettingKind = "text" | "path" | "number" | "size" | "boolean" | "choice" | "list" | "address" | "url";

export interface SettingTraits {
  group: SettingGroup;
  kind: SettingKind;
  /** takes effect at once; else after a restart */
  live?: true;
  /** the values of a choice */
  choices?: readonly string[];
  /** told to nobody, only whether it is set */
  secret?: true;
  /**
   * Said only where the node is started: by a flag, the environment, or a hand in the settings file. The rights of the process follow from it
   * (permissions_command.ts), and nobody at the console may widen them.
   */
  outside?: true;
}

/** Every setting, in the order of the page: who adds one to the schema adds its line here, and may add its words to routes/texts/settings.ts. */
export const SETTING_TRAITS: Record<keyof Config, SettingTraits> = {
  name: { group: "identity", kind: "text", live: true },
  picture: { group: "identity", kind: "path", live: true },
  nameServer: { group: "identity", kind: "url", live: true },
  serveNames: { group: "identity", kind: "address" },
  acceptRequests: { group: "requests", kind: "choice", choices: ["manual", "allowlist", "anyone"], live: true },
  allowlist: { group: "requests", kind: "list", live: true },
  offerContact: { group: "requests", kind: "boolean", live: true },
  enforceModes: { group: "requests", kind: "boolean", live: true },
  maxFileSize: { group: "files", kind: "size", live: true },
  fileQuota: { group: "files", kind: "size", live: true },
  conversationFileQuota: { group: "files", kind: "size", live: true },
  fileRetentionDays: { group: "files", kind: "number", live: true },
  bootstrap: { group: "network", kind: "list" },
  dhtPort: { group: "network", kind: "number" },
  peerPort: { group: "network", kind: "number" },
  publicAddress: { group: "network", kind: "list", live: true },
  http: { group: "console", kind: "address" },
  consoleOrigin: { group: "console", kind: "list" },
  trustedProxy: { group: "console", kind: "list" },
  blind: { group: "console", kind: "boolean" },
  logLevel: { group: "console", kind: "choice", choices: ["debug", "info", "warning", "error"], live: true },
  logFormat: { group: "console", kind: "choice", choices: ["auto", "text", "json"] },
  otlpEndpoint: { group: "console", kind: "url" },
  backupDir: { group: "backup", kind: "path", outside: true },
  backupEvery: { group: "backup", kind: "number" },
  backupKeep: { group: "backup", kind: "number" },
  backupPassphraseFile: { group: "backup", kind: "path", outside: true },
  backupFiles: { group: "backup", kind: "boolean" },
  // both mean something only in a data folder without account, before there is a page
  link: { group: "folders", kind: "boolean", outside: true },
  importArchive: { group: "folders", kind: "path", outside: true },
  data: { group: "folders", kind: "path", outside: true },
  config: { group: "folders", kind: "path", outside: true },
};
