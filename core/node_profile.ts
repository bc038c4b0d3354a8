/** The node's own profile: the name and the picture of the settings. */

import type { Bytes } from "./base/bytes.ts";
import { messageOf } from "./base/errors.ts";
import { type Config, ConfigError } from "./config.ts";
import { type Picture, pictureOf, writeVcard } from "./messaging/vcard.ts";

/** Largest picture: with base64 and the rest it stays below what a peer takes (MAX_VCARD). */
const MAX_PICTURE = 256 * 1024;

/**
 * The vCard that members are given.
 * @throws {ConfigError} when there is no such picture, or it is too large or of another kind
 */
export async function ownVcard({ name, picture }: Pick<Config, "name" | "picture">): Promise<Bytes> {
  return writeVcard(name, picture === undefined ? null : await readPicture(picture));
}

async function readPicture(path: string): Promise<Picture> {
  try {
    const { size } = await Deno.stat(path);
    if (size > MAX_PICTURE) throw new ConfigError(`picture: ${path} has more than ${MAX_PICTURE / 1024} KiB`);
    const picture = pictureOf(await Deno.readFile(path));
    if (picture) return picture;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (error instanceof Deno.errors.NotCapable) {
      // rights are fixed when the node starts (core/start.sh)
      const where = "put it into the data folder, or name it in the settings file and restart";
      throw new ConfigError(`picture: ${path} cannot be read while the node runs: ${where}`, { cause: error });
    }
    throw new ConfigError(`picture: ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  throw new ConfigError(`picture: ${path} is neither PNG nor JPEG`);
}
