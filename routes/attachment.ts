/** The name of a file that a browser is to save (RFC 6266): one that a stranger chose does no harm, and says no other ending than it has. */

import { plain } from "../islands/parts/given.tsx";

/** Bytes of a name: file systems take 255, and browsers add to it when there is one already. */
const MAX_NAME_BYTES = 200;
const UNNAMED = "file";

/** What file systems and shells read as something else: control characters, line ends, and what parts or quotes paths. */
// deno-lint-ignore no-control-regex -- they are what it is about
const UNFIT = /[\u0000-\u001f\u007f-\u009f\u2028\u2029/\\:*?"<>|]/g;

/** The value of `Content-Disposition`: a plain name for all, and the name itself in UTF-8 (RFC 8187). */
export function attachment(name: string): string {
  const safe = fileName(name);
  const simple = safe.replace(/[^\x20-\x7e]|[%']/g, "_");
  const encoded = encodeURIComponent(safe).replace(/['()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${simple}"; filename*=UTF-8''${encoded}`;
}

/** A name that can be a file's, on any system. */
export function fileName(name: string): string {
  // blanks and points at the ends are lost on some systems, or hide the file
  const fit = plain(name.toWellFormed()).replace(UNFIT, "_").replace(/^[\s.]+|[\s.]+$/g, "");
  return shortened(fit) || UNNAMED;
}

/** Cut in the middle when it is too long: the ending tells what it is. */
function shortened(name: string): string {
  const characters = [...name];
  const size = () => new TextEncoder().encode(characters.join("")).length;
  while (size() > MAX_NAME_BYTES) characters.splice(Math.floor(characters.length / 2), 1);
  return characters.join("");
}
