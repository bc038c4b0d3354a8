/** A Jami ID in what people paste, type or scan. */

/** The Jami ID in a text like `jami:<id>`, with or without blanks and slashes around it; `null` when the text is something else. */
export function jamiIdIn(text: string): string | null {
  const id = /^\s*(?:(?:jami|ring):(?:\/\/)?)?([0-9a-f]{40})\/?\s*$/i.exec(text)?.[1];
  return id?.toLowerCase() ?? null;
}

/** A registered name as somebody types it; `null` when no name can be like that. */
export function nameIn(text: string): string | null {
  const name = text.trim().replace(/^(?:jami|ring):(?:\/\/)?/i, "");
  return /^[^\p{C}\p{Z}/\\?#@:]{1,64}$/u.test(name) && /[\p{L}\p{N}]/u.test(name) ? name : null;
}
