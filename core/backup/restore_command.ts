/**
 * `deno task restore FILE [--data DIR] [--passphrase-file FILE]`: brings a back-up into an empty folder. Exit code 0: the
 * node is back and may be started; 2: nothing was changed.
 */

import { parseArgs } from "node:util";
import { messageOf } from "../base/errors.ts";
import { passphraseFrom } from "./ask_passphrase.ts";
import { restore } from "./restore.ts";

const USAGE = "usage: restore FILE [--data DIR] [--passphrase-file FILE]   (DIR: absent or empty, ./data unless given)";

const DONE = 0;
const UNUSABLE = 2;

/** Runs the command; `print` and `complain` get lines. @returns the exit code */
export async function restoreCommand(
  args: string[],
  print: (line: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const wish = parse(args);
  if (!wish) {
    complain(USAGE);
    return UNUSABLE;
  }
  try {
    using file = await Deno.open(wish.path);
    const { jamiId, made, entries, bytes, files } = await restore(
      file,
      await passphraseFrom(wish.passphraseFile),
      wish.data,
    );
    print(`restored jami:${jamiId}, as it was at ${made}, to ${wish.data}: ${entries} files, ${bytes} bytes`);
    if (!files) print("the files that members sent were not in the back-up: the node asks members for them again");
    print("before you start it, be sure that the node that was backed up never runs again");
    return DONE;
  } catch (error) {
    complain(`restore: ${messageOf(error)} Nothing was restored.`);
    return UNUSABLE;
  }
}

function parse(args: string[]) {
  try {
    const { values, positionals: [path, ...rest] } = parseArgs({
      args,
      options: { data: { type: "string", default: "./data" }, "passphrase-file": { type: "string" } },
      allowPositionals: true,
    });
    if (!path || !values.data || rest.length > 0) return null;
    return { path, data: values.data, passphraseFile: values["passphrase-file"] };
  } catch {
    return null; // an unknown option: the usage says the rest
  }
}

if (import.meta.main) Deno.exitCode = await restoreCommand(Deno.args, console.log, console.error);
