/**
 * Prints the Deno permission flags that a node with these settings needs, one a line: `core/start.sh` runs this before the node, for Deno's
 * permissions are fixed when a process starts and the folder it may write to is a setting.
 */

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { asksFor, ConfigError, loadConfig } from "./config.ts";

/** As for every wrong setting. */
const WRONG_SETTING = 2;

/**
 * The flags for a data folder; `extra` are further files that the node must read, `folders` where else it writes.
 * @throws {ConfigError} for a path that a flag cannot name
 */
export function permissionFlags(root: string, data: string, extra: string[], folders: string[] = []): string[] {
  const paths = (...list: string[]) => {
    for (const path of list) {
      if (/[,\n]/.test(path)) {
        throw new ConfigError(`${JSON.stringify(path)}: Deno cannot limit rights to a path with a comma`);
      }
    }
    return list.join();
  };
  return [
    "--no-prompt", // what is not allowed fails; nobody is asked
    "--allow-net",
    `--allow-read=${paths(root, data, ...extra, ...folders)}`,
    `--allow-write=${paths(data, ...folders)}`,
    "--allow-sys=networkInterfaces,hostname",
    "--ignore-env", // libraries that look at other variables find none
    "--allow-env=KITUO_*",
  ];
}

if (import.meta.main) {
  try {
    const root = dirname(dirname(fileURLToPath(import.meta.url)));
    const config = asksFor(Deno.args) ? null : loadConfig(Deno.args);
    const given = (...paths: (string | undefined)[]) => paths.flatMap((path) => path ? [resolve(path)] : []);
    const files = given(config?.config, config?.picture, config?.importArchive, config?.backupPassphraseFile);
    const folders = given(config?.backupDir);
    for (const flag of permissionFlags(root, resolve(config?.data ?? "data"), files, folders)) console.log(flag);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`Kituo: ${error.message}`);
    Deno.exit(WRONG_SETTING);
  }
}
