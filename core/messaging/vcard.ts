/** The profile of a person: a vCard with a name and perhaps a picture (swarm-sync.md 6.5). */

import { base64, type Bytes, text, utf8 } from "../base/bytes.ts";
import { MAX_PERSON_NAME, MAX_VCARD } from "./constants.ts";

/** A picture and what it is. */
export interface Picture {
  type: "PNG" | "JPEG";
  data: Bytes;
}

/** What the first bytes of a file say that it is; `null` for anything but the two kinds that clients show. */
export function pictureOf(data: Bytes): Picture | null {
  const begins = (...bytes: number[]) => bytes.every((byte, i) => data[i] === byte);
  if (begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return { type: "PNG", data };
  if (begins(0xff, 0xd8, 0xff)) return { type: "JPEG", data };
  return null;
}

/** Writes a vCard in the daemons' form, byte for byte. What would break a line becomes a blank. */
export function writeVcard(name: string, picture: Picture | null = null): Bytes {
  const lines = ["BEGIN:VCARD", "VERSION:2.1", `FN:${name.replace(/\p{Cc}+/gu, " ")}`];
  if (picture) lines.push(`PHOTO;ENCODING=BASE64;TYPE=${picture.type}:${base64(picture.data)}`);
  return utf8([...lines, "END:VCARD"].join("\r\n"));
}

/** The name in a vCard, fit to be shown; "" when there is none. Whatever the bytes are, it cannot fail. */
export function vcardName(vcard: Uint8Array): string {
  for (const line of text(vcard.subarray(0, MAX_VCARD)).split(/\r\n|\r|\n/)) {
    const name = /^FN(?:;[^:]*)?:(.*)$/is.exec(line)?.[1];
    // `slice` may cut a character outside the first plane in two; `toWellFormed` makes half ones whole
    if (name !== undefined) return name.replace(/\p{Cc}+/gu, " ").trim().slice(0, MAX_PERSON_NAME).toWellFormed();
  }
  return "";
}

/** Is it a whole vCard, to its last line? An empty one stands for "no profile"; of one that was cut nobody else would tell. */
export function isVcard(bytes: Uint8Array): boolean {
  return /^BEGIN:VCARD\s/i.test(text(bytes.subarray(0, 16))) && /\sEND:VCARD\s*$/i.test(text(bytes.subarray(-32)));
}
