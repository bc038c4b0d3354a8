/** Files: kinds that are rarely wanted in a chat, by the end of the name and, once the file is here, by its first bytes; and large ones. */

import { z } from "zod";
import { protection } from "../protection.ts";

const MIB = 1024 * 1024;

/** What Windows, Android and macOS run at a click. */
const RISKY = ["apk", "bat", "cmd", "com", "dmg", "exe", "hta", "iso", "jar", "js", "lnk", "msi", "ps1", "scr", "vbs"];

const settings = z.strictObject({
  extensions: z.array(z.string().trim().toLowerCase().regex(/^[\p{L}\p{N}_-]{1,16}$/u, "must be the end of a name"))
    .max(200).default(RISKY).describe("Ends of names, without the dot"),
  programs: z.boolean().default(true).describe("Programs, whatever their name: told by the first bytes"),
  maxMiB: z.int().min(0).max(100_000).default(0).describe("Largest file in MiB; 0 = any size"),
});

/** How programs begin. */
const MAGIC: { kind: string; bytes: number[] }[] = [
  { kind: "a Windows program", bytes: [0x4d, 0x5a] },
  { kind: "a Linux program", bytes: [0x7f, 0x45, 0x4c, 0x46] },
  { kind: "a macOS program", bytes: [0xcf, 0xfa, 0xed, 0xfe] },
  { kind: "a macOS program", bytes: [0xce, 0xfa, 0xed, 0xfe] },
  { kind: "a macOS program or Java class", bytes: [0xca, 0xfe, 0xba, 0xbe] },
  { kind: "an Android program", bytes: [0x64, 0x65, 0x78, 0x0a] },
  { kind: "a Windows shortcut", bytes: [0x4c, 0x00, 0x00, 0x00, 0x01, 0x14, 0x02, 0x00] },
  { kind: "a script", bytes: [0x23, 0x21] },
];

export const files = protection({
  name: "files",
  settings,
  watches: ["file", "content"],
  consequence: "hold",
  begin: () => null,
  judge({ what }, { settings: { extensions, programs, maxMiB } }) {
    if (what.kind !== "file" && what.kind !== "content") return null;
    // what the name shows last is what a click opens: dots and blanks at its end are dropped by Windows
    const extension = /\.([^.\s]+)[.\s]*$/.exec(what.name)?.[1].toLowerCase() ?? "";
    if (extensions.includes(extension)) return found(`a file of the kind .${extension}`);
    if (maxMiB > 0 && what.size > maxMiB * MIB) return found(`a file of more than ${maxMiB} MiB`);
    if (what.kind !== "content" || !programs) return null;
    const program = MAGIC.find(({ bytes }) => bytes.every((byte, i) => what.beginning[i] === byte));
    return program ? found(`${program.kind}, by its first bytes`) : null;
  },
});

function found(reason: string) {
  return { reason, holds: "file", each: true } as const;
}
