/** Where the commands get the passphrase from: never from the command line, which everybody on the machine can read. */

import { messageOf } from "../base/errors.ts";
import { MAX_PASSPHRASE } from "./constants.ts";
import { BackupError } from "./errors.ts";

/** Bytes that a passphrase may have in a file. */
const MAX_BYTES = 4 * MAX_PASSPHRASE + 2;

/** Keys of a terminal in raw mode: Enter, Backspace, and Ctrl-C and Ctrl-D. */
const ENTER = "\r\n", ERASE = "\x7f\b", GIVE_UP = "\x03\x04";

/**
 * The passphrase: from a file, from the terminal (unseen), or else the first line of standard input.
 * @param twice for a new back-up, whose passphrase nobody can correct later
 * @throws {BackupError} "passphrase"
 */
export async function passphraseFrom(file: string | undefined, { twice = false } = {}): Promise<string> {
  if (file !== undefined) return passphraseIn(file);
  if (!Deno.stdin.isTerminal()) {
    const given = firstLine(await readAll(Deno.stdin));
    if (given !== "") return given;
    throw new BackupError(
      "passphrase",
      "No passphrase was given: write it to standard input, or --passphrase-file FILE.",
    );
  }
  const typed = typeUnseen("Passphrase of the back-up: ");
  if (twice && typeUnseen("The same again: ") !== typed) {
    throw new BackupError("passphrase", "These were two different passphrases.");
  }
  return typed;
}

/** The first line of a file. @throws {BackupError} "passphrase" when it cannot be read, or others than its owner can */
export function passphraseIn(file: string): string {
  try {
    const { mode, size } = Deno.statSync(file);
    if (size > MAX_BYTES) throw new BackupError("passphrase", `${file} is too large for a passphrase.`);
    if (((mode ?? 0) & 0o077) !== 0) {
      throw new BackupError("passphrase", `Others can read ${file}: take their rights away (chmod 600).`);
    }
    return firstLine(Deno.readTextFileSync(file));
  } catch (error) {
    if (error instanceof BackupError) throw error;
    throw new BackupError("passphrase", `The passphrase in ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/)[0];
}

async function readAll(from: { read(buffer: Uint8Array): Promise<number | null> }): Promise<string> {
  const buffer = new Uint8Array(MAX_BYTES);
  let filled = 0;
  for (let n; filled < buffer.length && (n = await from.read(buffer.subarray(filled))) !== null;) filled += n;
  return new TextDecoder().decode(buffer.subarray(0, filled));
}

/** Reads a line from the terminal without showing it. */
function typeUnseen(question: string): string {
  const say = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(text));
  const decoder = new TextDecoder(), buffer = new Uint8Array(256);
  let typed = "";
  say(question);
  Deno.stdin.setRaw(true);
  try {
    for (let n; (n = Deno.stdin.readSync(buffer)) !== null;) {
      for (const character of decoder.decode(buffer.subarray(0, n), { stream: true })) {
        if (GIVE_UP.includes(character)) throw new BackupError("passphrase", "Given up.");
        if (ENTER.includes(character)) return typed;
        typed = ERASE.includes(character) ? [...typed].slice(0, -1).join("") : typed + character;
      }
    }
    return typed;
  } finally {
    Deno.stdin.setRaw(false);
    say("\n");
  }
}
