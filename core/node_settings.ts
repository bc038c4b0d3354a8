/** Settings that the console changes: they take effect at once and stand in the settings file for the next start. */

import { join } from "node:path";
import { messageOf } from "./base/errors.ts";
import type { Config } from "./config.ts";
import { NodeError, type NodeSettings } from "./node_api.ts";

/**
 * Puts `changes` into the settings file, durably; all else in it stays, and what is undefined is taken out.
 * @throws {NodeError} "conflict" when the file cannot be written
 */
export function writeSettings(
  config: Pick<Config, "config" | "data">,
  changes: Readonly<Record<string, unknown>> | NodeSettings,
): void {
  const path = settingsFile(config);
  try {
    const text = JSON.stringify({ ...read(path), ...changes }, null, 2);
    const draft = `${path}.new`;
    using file = Deno.openSync(draft, { create: true, write: true, truncate: true, mode: 0o600 });
    const bytes = new TextEncoder().encode(`${text}\n`);
    for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
    file.syncSync();
    Deno.renameSync(draft, path);
  } catch (error) {
    const message = `The settings file ${path} cannot be written: ${
      messageOf(error)
    }. Write the settings there by hand.`;
    throw new NodeError("conflict", message, { cause: error });
  }
}

/** The path of the settings file. */
export function settingsFile({ config, data }: Pick<Config, "config" | "data">): string {
  return config ?? join(data, "kituo.json");
}

function read(path: string): object {
  try {
    return JSON.parse(Deno.readTextFileSync(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
