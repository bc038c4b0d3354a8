/** What the commands `backup` and `restore` have in common: a file, a data folder, a passphrase, and how they end. */

import { parseArgs } from "node:util";
import { messageOf } from "../base/errors.ts";

const DONE = 0;
const UNUSABLE = 2;

/** Prints a line. */
export type Print = (line: string) => void;

/** What was asked for. */
export interface Wish {
  path: string;
  data: string;
  passphraseFile: string | undefined;
  withoutFiles: boolean;
}

/** A command. */
export interface Command {
  name: string;
  usage: string;
  /** does `--without-files` mean anything? */
  mayLeaveFiles: boolean;
  /** what to say behind what went wrong */
  afterwards: string;
  run(wish: Wish): Promise<void>;
}

/** Runs a command. @returns the exit code: 0 = done, 2 = not done */
export async function runCommand(command: Command, args: string[], complain: Print): Promise<number> {
  const wish = parse(args, command.mayLeaveFiles);
  if (!wish) {
    complain(command.usage);
    return UNUSABLE;
  }
  try {
    await command.run(wish);
    return DONE;
  } catch (error) {
    complain(`${command.name}: ${messageOf(error)}${command.afterwards}`);
    return UNUSABLE;
  }
}

function parse(args: string[], mayLeaveFiles: boolean): Wish | null {
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
    const withoutFiles = values["without-files"];
    if (!path || !values.data || rest.length > 0 || withoutFiles && !mayLeaveFiles) return null;
    return { path, data: values.data, passphraseFile: values["passphrase-file"], withoutFiles };
  } catch {
    return null; // an unknown option: the usage says the rest
  }
}
