/** A conversation's profile at a commit's tree. */

import { treesOf } from "./members.ts";
import type { ObjectReader, Oid } from "./object.ts";
import { MAX_PROFILE_BYTES, parseProfile, type Profile, PROFILE_PATH } from "./profile.ts";

/**
 * The profile at a root tree. One that is too large to look into reads as an empty one, so that an admin can replace it.
 * @throws {MissingObject} @throws {ProtocolError} when the tree cannot be read
 */
export async function profileAt(reader: ObjectReader, tree: Oid): Promise<Profile> {
  const file = await treesOf(reader).file(tree, PROFILE_PATH);
  if (file === null) return parseProfile(new Uint8Array());
  const { data } = await reader.read(file.oid);
  return parseProfile(data.length > MAX_PROFILE_BYTES ? new Uint8Array() : data);
}
