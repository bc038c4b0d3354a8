/** Names of git objects: SHA-1, as 40 lower-case hex digits. */

/** The name of a git object: 40 lower-case hex digits (swarm-repository.md 1). */
export type Oid = string;

const FORM = /^[0-9a-f]{40}$/;

/** Is `text` an object name in the one form we write and accept? */
export function isOid(text: string): text is Oid {
  return FORM.test(text);
}
