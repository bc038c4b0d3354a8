/** The secret that opens the API: a file in the data folder, for whoever may read that folder. */

import { join } from "node:path";
import { KituoError } from "../core/base/errors.ts";
import { systemRandom } from "../core/base/random.ts";

/** Random bytes of a token. */
const TOKEN_BYTES = 32;

/** The token file holds something that is no token. */
export class AdminTokenError extends KituoError {}

/**
 * The admin token of a data folder, made at the first call. The file is readable by its owner only.
 * @throws {AdminTokenError} when the file is there but holds no token
 */
export function adminToken(folder: string): string {
  const path = join(folder, "admin.token");
  const known = read(path);
  if (known === undefined) return make(path);
  // an admin may have put one of their own
  if (!/^[\x21-\x7e]{32,200}$/.test(known)) {
    throw new AdminTokenError(
      `${path} holds no token (32 to 200 visible characters): remove it to have a new one made`,
    );
  }
  Deno.chmodSync(path, 0o600);
  return known;
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Written beside its place and moved there, so that a crash leaves no half token. */
function make(path: string): string {
  const token = systemRandom.bytes(TOKEN_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
  const draft = `${path}.new`;
  using file = Deno.openSync(draft, { create: true, write: true, truncate: true, mode: 0o600 });
  Deno.chmodSync(draft, 0o600);
  const line = new TextEncoder().encode(`${token}\n`);
  for (let written = 0; written < line.length;) written += file.writeSync(line.subarray(written));
  file.syncSync();
  Deno.renameSync(draft, path);
  return token;
}
