/**
 * `deno task backup FILE [--data DIR] [--passphrase-file FILE] [--without-files]`: backs up a node, running or not, into one
 * encrypted file. Exit code 0: the file is whole and on the disk; 2: there is none.
 */

import { systemClock } from "../base/clock.ts";
import { passphraseFrom } from "./ask_passphrase.ts";
import { type Print, runCommand, type Wish } from "./command.ts";
import { backUpTo, prepareBackup } from "./make.ts";

const USAGE =
  "usage: backup FILE [--data DIR] [--passphrase-file FILE] [--without-files]   (DIR: the node's data folder, ./data unless given)";

/** Runs the command; `print` and `complain` get lines. @returns the exit code */
export function backupCommand(args: string[], print: Print, complain: Print): Promise<number> {
  const run = async ({ path, data, passphraseFile, withoutFiles }: Wish) => {
    const passphrase = await passphraseFrom(passphraseFile, { twice: true });
    const prepared = await prepareBackup(data, { passphrase, files: !withoutFiles, now: systemClock.now() });
    const size = await backUpTo(path, data, prepared);
    print(`backed up jami:${prepared.about.jamiId} to ${path} (${size} bytes)`);
  };
  return runCommand({ name: "backup", usage: USAGE, mayLeaveFiles: true, afterwards: "", run }, args, complain);
}

if (import.meta.main) Deno.exitCode = await backupCommand(Deno.args, console.log, console.error);
