/**
 * `deno task restore FILE [--data DIR] [--passphrase-file FILE]`: brings a back-up into an empty folder. Exit code 0: the
 * node is back and may be started; 2: nothing was changed.
 */

import { passphraseFrom } from "./ask_passphrase.ts";
import { type Print, runCommand, type Wish } from "./command.ts";
import { restore } from "./restore.ts";

const USAGE = "usage: restore FILE [--data DIR] [--passphrase-file FILE]   (DIR: absent or empty, ./data unless given)";

/** Runs the command; `print` and `complain` get lines. @returns the exit code */
export function restoreCommand(args: string[], print: Print, complain: Print): Promise<number> {
  const run = async ({ path, data, passphraseFile }: Wish) => {
    using file = await Deno.open(path);
    const { jamiId, made, entries, bytes, files } = await restore(file, await passphraseFrom(passphraseFile), data);
    print(`restored jami:${jamiId}, as it was at ${made}, to ${data}: ${entries} files, ${bytes} bytes`);
    if (!files) print("the files that members sent were not in the back-up: the node asks members for them again");
    print("before you start it, be sure that the node that was backed up never runs again");
  };
  const afterwards = " Nothing was restored.";
  return runCommand({ name: "restore", usage: USAGE, mayLeaveFiles: false, afterwards, run }, args, complain);
}

if (import.meta.main) Deno.exitCode = await restoreCommand(Deno.args, console.log, console.error);
