/** First message: a file or a link from somebody who has just come. */

import { z } from "zod";
import { MAX_WORD_TEXT } from "../constants.ts";
import { protection } from "../protection.ts";

const settings = z.strictObject({
  minutes: z.int().min(0).max(43_200).default(60).describe("A member is new for so many minutes"),
  messages: z.int().min(0).max(100).default(3).describe("and until it has written so many messages"),
  links: z.boolean().default(true).describe("Links of new members are a finding"),
  files: z.boolean().default(true).describe("Files of new members are a finding"),
});

/** An address with its scheme, or one that browsers would open all the same. */
const LINK = /(?:\b[a-z][a-z0-9+.-]{1,19}:\/\/|\bwww\.)[^\s]/i;

export const firstMessage = protection({
  name: "first-message",
  settings,
  watches: ["text", "file"],
  consequence: "hold",
  begin: () => null,
  judge({ what, account, arrived }, { settings, memberSince, written }) {
    const isFile = what.kind === "file" && settings.files;
    const isLink = what.kind === "text" && settings.links && LINK.test(what.text.slice(0, MAX_WORD_TEXT));
    if (!isFile && !isLink) return null;
    const isYoung = arrived - memberSince(account) < settings.minutes * 60_000;
    if (!isYoung && written(settings.messages) >= settings.messages) return null;
    const holds = isFile ? "file" : "member";
    return { reason: `a ${isFile ? "file" : "link"} of a new member`, holds, each: isFile };
  },
});
