/** Limits and parameters of back-up files, each with its reason. */

/** Characters that the passphrase of a back-up has at least: whoever gets hold of the file may guess for years. */
export const MIN_PASSPHRASE = 12;

/** And at most: a guard against a file given by mistake. */
export const MAX_PASSPHRASE = 1_024;

/** What deriving the key costs: the second recommendation of RFC 9106, 4, with memory that a small machine has too. */
export const KDF_MEMORY = 64 * 1024; // KiB
export const KDF_PASSES = 3;

/** What a file may ask of who reads it: more is no back-up of ours, but somebody who wants our memory. */
export const MAX_KDF_MEMORY = 1024 * 1024; // KiB
export const MAX_KDF_PASSES = 64;

/** Plain bytes of a chunk: one is held in memory while it is sealed, and 16 bytes are added to each. */
export const CHUNK = 1024 * 1024;
export const MAX_CHUNK = 16 * 1024 * 1024;

/** Bytes of a path in a back-up. */
export const MAX_PATH = 1_024;

/** Bytes that are read from a file at a time. */
export const READ = 256 * 1024;

/** A snapshot of the database that is older than this, ms, was left by a process that is no more. */
export const SNAPSHOT_STALE = 6 * 3_600_000;

/** How often the packs of a repository are listed again when they were repacked meanwhile: that happens once in many pushes. */
export const PACK_TRIES = 10;
