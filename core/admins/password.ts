/** Passwords: which are good enough, and how they are kept (Argon2id, RFC 9106, as PHC strings). */

import { timingSafeEqual } from "node:crypto";
import { type Bytes, utf8 } from "../base/bytes.ts";
import { LimitError } from "../base/errors.ts";
import { Semaphore } from "../base/limits.ts";
import type { Random } from "../base/random.ts";
import { isCommon, newCharacters } from "./common_passwords.ts";
import {
  MAX_HASHING,
  MAX_HASHING_WAIT,
  MAX_PASSWORD,
  MIN_PASSWORD,
  PASSWORD_MEMORY,
  PASSWORD_PASSES,
} from "./constants.ts";
import { AccessError } from "./errors.ts";

/** What hashing a password costs. */
export interface PasswordCost {
  /** KiB */
  memory: number;
  passes: number;
}

/** What it costs in earnest. */
export const FULL_COST: PasswordCost = { memory: PASSWORD_MEMORY, passes: PASSWORD_PASSES };

/** Bytes of salts and hashes (RFC 9106, 3.1 and 4). */
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** New characters that a password has at least: "aaaaaaaaaaaa" has one. */
const MIN_NEW = 8;

const places = new Semaphore("password hashing", MAX_HASHING, MAX_HASHING_WAIT);

/** The same text, however it was typed. */
function normalised(password: string): string {
  return password.normalize("NFKC");
}

/**
 * Refuses a password that would be guessed.
 * @param words what an attacker knows: the names of the admin, the node and the host
 * @throws {AccessError} "unfit", saying why
 */
export function checkPassword(password: string, words: string[]): void {
  const text = normalised(password).toLowerCase();
  const length = [...text].length;
  const refuse = (message: string) => new AccessError("unfit", message);
  if (!password.isWellFormed()) throw refuse("The password is not Unicode.");
  if (length < MIN_PASSWORD) throw refuse(`A password has at least ${MIN_PASSWORD} characters.`);
  if (length > MAX_PASSWORD) throw refuse(`A password has at most ${MAX_PASSWORD} characters.`);
  if (isCommon(text)) throw refuse("This password is among those that are tried first.");
  if (newCharacters(text) < MIN_NEW) throw refuse("This password repeats itself, or follows the keyboard.");
  const known = words.map((word) => normalised(word).toLowerCase()).flatMap((word) => [word, ...word.split(/\s+/)]);
  const rest = known.filter((word) => word.length >= 3)
    .reduce((left, word) => left.replaceAll(word, ""), text);
  if (rest !== text && newCharacters(rest) < MIN_NEW) throw refuse("This password is little more than a name.");
}

/** The PHC string of a password. @throws {AccessError} "too many" */
export async function hashPassword(password: string, random: Random, cost: PasswordCost): Promise<string> {
  const salt = random.bytes(SALT_BYTES);
  const hash = await argon2id(password, salt, cost);
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=1$${base64(salt)}$${base64(hash)}`;
}

/** Is this the password? @param phc what {@link hashPassword} gave @throws {AccessError} "too many" */
export async function verifyPassword(phc: string, password: string): Promise<boolean> {
  const [, memory, passes, salt, hash] =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=1\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/.exec(phc) ?? [];
  if (hash === undefined) return false;
  const cost = { memory: Number(memory), passes: Number(passes) };
  const found = await argon2id(password, Uint8Array.fromBase64(salt), cost);
  const wanted = Uint8Array.fromBase64(hash);
  return found.length === wanted.length && timingSafeEqual(found, wanted);
}

async function argon2id(password: string, salt: Bytes, { memory, passes }: PasswordCost): Promise<Bytes> {
  try {
    return await places.run(async () => {
      // reason: TypeScript's library does not know these names yet (stack.md, recipe 8)
      const name = "Argon2id" as never, form = "raw-secret" as never;
      const key = await crypto.subtle.importKey(form, utf8(normalised(password)), name, false, ["deriveBits"]);
      const parameters = { name, nonce: salt, memory, passes, parallelism: 1 } as never; // reason: as above
      return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, HASH_BYTES * 8));
    });
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    throw new AccessError("too many", "Too many sign in at this moment: try again.", { cause: error });
  }
}

function base64(bytes: Bytes): string {
  return bytes.toBase64({ omitPadding: true });
}
