/**
 * `deno task backup FILE [--data DIR] [--passphrase-file FILE] [--without-files]`: backs up a node, running or not, into one
 * encrypted file. Exit code 0: the file is whole and on the disk; 2: there is none.
 */

import { parseArgs } from "node:util";
import { systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { passphraseFrom } from "./ask_passphrase.ts";
import { backUpTo, prepareBackup } from "./make.ts";

const USAGE =
  "usage: backup FILE [--data DIR] [--passphrase-file FILE] [--without-files]   (DIR: the node's data folder, ./data unless given)";

const DONE = 0;
const UNUSABLE = 2;

/** Runs the command; `print` and `complain` get lines. @returns the exit code */
export async function backupCommand(
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
    const passphrase = await passphraseFrom(wish.passphraseFile, { twice: true });
    const prepared = await prepareBackup(wish.data, { passphrase, files: wish.files, now: systemClock.now() });
    const size = await backUpTo(wish.path, wish.data, prepared);
    print(`backed up jami:${prepared.about.jamiId} to ${wish.path} (${size} bytes)`);
    return DONE;
  } catch (error) {
    complain(`backup: ${messageOf(error)}`);
    return UNUSABLE;
  }
}

function parse(args: string[]) {
  try {
    const { values, positionals: [path, ...rest] } = parseArgs({
      args,
      options: {
        data: { type: "string", default: "./data" },
        "passphrase-file": { type: "string" },
        "without-files": { type: "boolean", default: false },
      },
      allowPositionals: true,
    });
    if (!path || !values.data || rest.length > 0) return null;
    return { path, data: values.data, passphraseFile: values["passphrase-file"], files: !values["without-files"] };
  } catch {
    return null; // an unknown option: the usage says the rest
  }
}

if (import.meta.main) Deno.exitCode = await backupCommand(Deno.args, console.log, console.error);
