/** The settings that work while the node runs: most are read by functions that the rooms were given, the rest are told here. */

import type { Config } from "./config.ts";
import { setLogLevel } from "./logging.ts";
import { NodeConfiguration } from "./node_configuration.ts";
import type { NodeNames } from "./node_names.ts";
import { ownVcard } from "./node_profile.ts";
import type { FileLimits } from "./relay/file_policy.ts";
import type { Relay } from "./relay/relay.ts";
import type { Store } from "./store/store.ts";

/** What the settings are told to. */
interface Told {
  config: Config;
  store: Pick<Store, "audit">;
  relay: Pick<Relay, "profiles" | "files">;
  names: Pick<NodeNames, "serverChanged">;
}

/** The settings of a node. */
export function settingsOf({ config, store: { audit }, relay, names }: Told): NodeConfiguration {
  return new NodeConfiguration({
    config,
    audit,
    check: async (next) => void await ownVcard(next),
    async changed(keys) {
      if (keys.has("name") || keys.has("picture")) relay.profiles.change(await ownVcard(config));
      if (keys.has("nameServer")) await names.serverChanged();
      if (keys.has("logLevel")) await setLogLevel(config.logLevel);
      const files = ["maxFileSize", "fileQuota", "conversationFileQuota", "fileRetentionDays"] as const;
      if (files.some((key) => keys.has(key))) relay.files.limitsChanged();
    },
  });
}

/** What the settings say of files, at every moment. */
export function fileLimitsOf(config: Config): FileLimits {
  return {
    get maxFile() {
      return config.maxFileSize;
    },
    get total() {
      return config.fileQuota;
    },
    get perConversation() {
      return config.conversationFileQuota;
    },
    get retentionDays() {
      return config.fileRetentionDays;
    },
  };
}
