/** `profile.vcf`: a conversation's title, description, picture and default host (swarm-repository.md 9). */

import { type Bytes, text, utf8 } from "../base/bytes.ts";

/** The conversation's profile, which only admins change. */
export const PROFILE_PATH = "profile.vcf";

/** Largest file we look into: a picture is at most some hundred kB in practice. */
export const MAX_PROFILE_BYTES = 8 * 1024 * 1024;

/** What the profile says; "" is not set. */
export interface Profile {
  title: string;
  description: string;
  /** Base64 of the picture. */
  avatar: string;
  /** Account and device that host the group's calls unless told otherwise. */
  rdvAccount: string;
  rdvDevice: string;
}

const KEYS = new Map<string, keyof Profile>([
  ["FN", "title"],
  ["DESCRIPTION", "description"],
  ["RDV_ACCOUNT", "rdvAccount"],
  ["RDV_DEVICE", "rdvDevice"],
]);

/** Reads a profile; what it does not know is left out, so it cannot fail. */
export function parseProfile(vcard: Uint8Array): Profile {
  const profile: Profile = { title: "", description: "", avatar: "", rdvAccount: "", rdvDevice: "" };
  for (const line of text(vcard.subarray(0, MAX_PROFILE_BYTES)).split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon < 0) continue;
    const value = line.slice(colon + 1);
    const key = KEYS.get(line.slice(0, colon));
    if (key !== undefined) profile[key] = value;
    else if (line.startsWith("PHOTO")) profile.avatar = value;
  }
  return profile;
}

/** Writes a profile as daemons do, byte for byte. Line breaks in a value would break the file: they become spaces. */
export function writeProfile(profile: Profile): Bytes {
  const value = (key: keyof Profile) => profile[key].replace(/[\r\n]+/g, " ");
  const lines = ["BEGIN:VCARD", "VERSION:2.1"];
  if (profile.title !== "") lines.push(`FN:${value("title")}`);
  if (profile.description !== "") lines.push(`DESCRIPTION:${value("description")}`);
  lines.push(profile.avatar === "" ? "PHOTO;ENCODING=BASE64" : `PHOTO;ENCODING=BASE64:${value("avatar")}`);
  if (profile.rdvAccount !== "") lines.push(`RDV_ACCOUNT:${value("rdvAccount")}`);
  lines.push(""); // daemons write the line break of either RDV line even without it
  if (profile.rdvDevice !== "") lines.push(`RDV_DEVICE:${value("rdvDevice")}`);
  lines.push("", "END:VCARD");
  return utf8(lines.join("\n"));
}
