/** Knows a full disk by whatever met it: SQLite, a file's write, or an error that either caused. */

/** SQLITE_FULL, a result code of SQLite. */
const SQLITE_FULL = 13;

/** Was there no room on the disk? */
export function isDiskFull(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const isFull = "code" in thrown && thrown.code === "ENOSPC" || "errcode" in thrown && thrown.errcode === SQLITE_FULL;
  return isFull || isDiskFull(thrown.cause);
}
