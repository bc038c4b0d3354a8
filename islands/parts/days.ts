/** Days and times of the clock: in UTC from the server, in the reader's own place once the page lives. */

import { useEffect, useState } from "preact/hooks";
import { placeOf } from "./words.ts";

/** Whether the page lives, so that what is drawn from now on may differ from what the server drew. */
let lives = false;

/** @returns false until the page lives: days are those of UTC */
export function useLocalDays(): boolean {
  const [local, setLocal] = useState(lives);
  useEffect(() => {
    lives = true;
    setLocal(true);
  }, []);
  return local;
}

/** The day of a time, as "2026-11-29". @param at seconds since 1970 */
export function dayOf(at: number, local: boolean): string {
  const date = new Date((at - (local ? offsetAt(at) : 0)) * 1000);
  return date.toISOString().slice(0, 10);
}

/** The time of the clock, as "14:05". */
export function clockOf(at: number, lang: string, local: boolean): string {
  return local ? formatter(lang, "clock").format(at * 1000) : new Date(at * 1000).toISOString().slice(11, 16);
}

/** A day of {@link dayOf} as it is written. */
export function dayName(day: string, lang: string): string {
  return formatter(lang, "day").format(Date.parse(`${day}T12:00:00Z`));
}

/** A time with its day. @param at seconds since 1970 */
export function timeName(at: number, lang: string, local: boolean): string {
  if (local) return formatter(lang, "both").format(at * 1000);
  return `${new Date(at * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const STYLES: Record<string, Intl.DateTimeFormatOptions> = {
  clock: { timeStyle: "short" },
  both: { dateStyle: "medium", timeStyle: "short" },
  // the same on the server and in every place
  day: { dateStyle: "full", timeZone: "UTC" },
};

/** Making a formatter costs a hundred times what using it does, and a timeline draws dozens of times for each scroll. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(lang: string, style: keyof typeof STYLES): Intl.DateTimeFormat {
  const key = `${lang} ${style}`;
  let known = formatters.get(key);
  if (!known) {
    const place = style === "day" ? (lang === "en" ? "en-GB" : lang) : placeOf(lang);
    known = new Intl.DateTimeFormat(place, STYLES[style]);
    formatters.set(key, known);
  }
  return known;
}

/** Seconds that the reader's clock is behind UTC, kept for each hour: it is asked for thousands of times. */
const offsets = new Map<number, number>();

function offsetAt(at: number): number {
  const hour = Math.floor(at / 3_600);
  let offset = offsets.get(hour);
  if (offset === undefined) {
    offset = new Date(at * 1000).getTimezoneOffset() * 60;
    offsets.set(hour, offset);
  }
  return offset;
}
