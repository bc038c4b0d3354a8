/** Every limit and timer of the git half of the room: objects, packs, repositories, git over a channel. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Longest pkt-line, its four length digits included (swarm-sync.md 1.5, 10). */
export const PKT_MAX_BYTES = 65_520;

/** Most payload in one side-band-64k packet: a pkt-line less its length and the band's number (swarm-sync.md 1.5). */
export const SIDE_BAND_MAX_BYTES = PKT_MAX_BYTES - 5;

/** Nothing within this time inside an exchange ends it; between exchanges a channel may rest for ever (swarm-sync.md 1.3, 8.2 item 11). */
export const EXCHANGE_IDLE_MS = 30_000;

/** Haves a server listens to in one exchange (swarm-sync.md 8.2 item 11). */
export const MAX_HAVES_SERVED = 4096;

/** Haves a client sends at most, as libgit2 (swarm-sync.md 1.4). */
export const MAX_HAVES_SENT = 256;

/** Haves in one batch, as libgit2 (swarm-sync.md 1.4). */
export const HAVES_PER_BATCH = 20;

/** Refs in an advertisement (swarm-sync.md 8.2 item 11). */
export const MAX_REFS = 10_000;

/** Bytes of one advertised ref's line, longer than any real device id needs. */
export const MAX_REF_LINE_BYTES = 1024;

/** Lines in one exchange that say nothing to us (`shallow`, `deepen`, repeated wants): beyond that it is an attack. */
export const MAX_OTHER_LINES = 1000;

/** What a pack may cost its receiver. */
export interface PackLimits {
  /** Received bytes. */
  bytes: number;
  objects: number;
  /** One object, inflated. */
  objectBytes: number;
  /** All objects and deltas, inflated, together. */
  totalBytes: number;
  /** Deltas on the way from an object to a whole one. */
  deltaDepth: number;
}

/** 256 MiB received as every peer (swarm-sync.md 1.5); the others are ours, far above real swarms; git itself writes at most 50 deltas deep. */
export const PACK_LIMITS: PackLimits = {
  bytes: 256 * MIB,
  objects: 1_000_000,
  objectBytes: 32 * MIB,
  totalBytes: 512 * MIB,
  deltaDepth: 250,
};

/** Packs above this size or count of objects are parsed in a worker: below, parsing takes well under 100 ms. */
export const WORKER_PACK_BYTES = 1 * MIB;
export const WORKER_PACK_OBJECTS = 2000;

/** Work on the main loop pauses after this time to let others run. */
export const BREATH_MS = 8;

/** zlib level of packs and loose objects: signatures hardly compress, so speed counts (stack.md 4). */
export const ZLIB_LEVEL = 1;

/** Objects up to this size are deflated on the main loop; bigger ones in zlib's own threads. */
export const SYNC_DEFLATE_BYTES = 128 * KIB;

/** Size of the chunks in which a pack is written. */
export const PACK_CHUNK_BYTES = SIDE_BAND_MAX_BYTES;

/** Up to this many new objects are stored loose, more as one pack. */
export const LOOSE_AT_ONCE = 8;

/** More loose objects than this are worth a pack. */
export const REPACK_LOOSE_OBJECTS = 1000;

/** More packs than this are worth being one: each look-up asks them all. */
export const REPACK_PACKS = 32;

/** Trees and blobs kept in memory for each repository: at most so many, each at most so large, together 1 MiB. */
export const CACHED_OBJECTS = 256;
export const CACHED_OBJECT_BYTES = 4 * KIB;

/** isomorphic-git's cache holds whole packs and grows with each delta it resolves: it is dropped after so many reads. */
export const FOREIGN_READS_CACHED = 20_000;

/** Largest pack file our reader opens: offsets fit 31 bits, as in an index without its 64-bit table. */
export const MAX_PACK_FILE_BYTES = 2 ** 31 - 1;

/** A folder changed this recently may change again without its time changing: it is read again. */
export const RACY_FOLDER_MS = 1000;
