/** Loose objects: one file each, deflated, under `objects/<2 digits>/<38 digits>` (gitrepository-layout). */

import { join } from "node:path";
import { promisify } from "node:util";
import { deflate, deflateSync, inflateSync } from "node:zlib";
import { type Bytes, concat, owned, strictText, utf8 } from "../base/bytes.ts";
import { messageOf } from "../base/errors.ts";
import { makeFolder, writeDurably } from "./durable_fs.ts";
import { PACK_LIMITS, SYNC_DEFLATE_BYTES, ZLIB_LEVEL } from "./git_limits.ts";
import { type GitObject, hashObject, type ObjectType, type Oid } from "./object.ts";
import { RepositoryError } from "./repository_error.ts";

const deflateOff = promisify(deflate);

/** Type and size stand before the content; no head is longer. */
const MAX_HEAD_BYTES = 32;
const HEAD = /^(commit|tree|blob|tag) (0|[1-9][0-9]*)$/;

/** Where a loose object lies. */
export function loosePath(objects: string, oid: Oid): string {
  return join(objects, oid.slice(0, 2), oid.slice(2));
}

/**
 * The object, or `null` when there is no such file.
 * @throws {RepositoryError} when it is damaged
 */
export async function readLoose(objects: string, oid: Oid): Promise<GitObject | null> {
  let file: Bytes;
  try {
    file = await Deno.readFile(loosePath(objects, oid));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  const { type, data } = parse(oid, file);
  if (hashObject(type, data) !== oid) throw damaged(oid, "it is another object");
  return { oid, type, data };
}

/**
 * Writes the object; durable once this resolves.
 * @throws {RepositoryError} when it does not have the name it should have
 */
export async function writeLoose(objects: string, { oid, type, data }: GitObject): Promise<void> {
  const name = hashObject(type, data);
  if (name !== oid) throw new RepositoryError(`object ${oid} has the name ${name}`);
  const content = concat(utf8(`${type} ${data.length}\0`), data);
  const options = { level: ZLIB_LEVEL };
  const file = content.length <= SYNC_DEFLATE_BYTES
    ? deflateSync(content, options)
    : await deflateOff(content, options);
  const path = loosePath(objects, oid);
  try {
    await writeDurably(path, file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeFolder(join(objects, oid.slice(0, 2)));
    await writeDurably(path, file);
  }
}

function parse(oid: Oid, file: Uint8Array): { type: ObjectType; data: Bytes } {
  let content: Bytes;
  try {
    content = owned(inflateSync(file, { maxOutputLength: PACK_LIMITS.objectBytes + MAX_HEAD_BYTES }));
  } catch (error) {
    throw damaged(oid, messageOf(error));
  }
  const end = content.subarray(0, MAX_HEAD_BYTES).indexOf(0);
  const [, type, size] = HEAD.exec(strictText(content.subarray(0, Math.max(0, end))) ?? "") ?? [];
  const data = content.slice(end + 1);
  if (type === undefined || Number(size) !== data.length) throw damaged(oid, "its head is wrong");
  return { type: type as ObjectType, data }; // reason: the pattern lets nothing else through
}

function damaged(oid: Oid, why: string): RepositoryError {
  return new RepositoryError(`object ${oid} is damaged: ${why}`);
}
