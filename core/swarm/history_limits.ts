/** Bounds on what a peer's history may cost us. Upstream has none beside 256 MiB per fetch (swarm-repository.md 1.2, 11 e). */

/** Commits that one check walks over. Ten times the largest conversation the specification reckons with. */
export const MAX_COMMITS = 100_000;

/** Bytes of one commit's headers: a name, two parents and an RSA-8192 signature need about 2 kB. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** Header lines of one commit, continuation lines included. */
export const MAX_HEADER_LINES = 64;

/** Parents a commit may name and still be read; the merge rule then wants exactly two (5.2). */
export const MAX_PARENTS = 16;

/** Bytes of one commit message. A message of the user is far below; a document's checkpoint can be long. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** Bytes of one tree object: some 40 000 devices. */
export const MAX_TREE_BYTES = 4 * 1024 * 1024;

/** Folders below each other: the deepest lawful path is `votes/ban/<type>/<target>/<voter>` (1.1). */
export const MAX_PATH_DEPTH = 6;

/** Paths that differ between two trees: a merge after a long split brings many at once. */
export const MAX_CHANGES = 100_000;

/** Entries of trees that one check parses in all; stops a history whose every commit carries another huge tree. */
export const MAX_PARSED_ENTRIES = 20_000_000;

/** Bytes of a file in the tree that the rules look into (PEM certificates of one chain). */
export const MAX_CERTIFICATE_FILE_BYTES = 64 * 1024;

/** Parsed tree entries kept for one repository. */
export const CACHED_TREE_ENTRIES = 50_000;

/** Certificate files kept parsed, for all repositories together. */
export const CACHED_CERTIFICATES = 2_000;

/** Author look-ups ("which key speaks for this device at this tree") kept for one repository. */
export const CACHED_AUTHORITIES = 1_000;

/** Member lists kept for one repository. */
export const CACHED_MEMBER_LISTS = 64;

/** Commits (id, parents, time, tree) kept for walks over one repository. */
export const CACHED_NODES = 20_000;

/** Commits being checked at the same time: RSA runs beside the main loop. */
export const CHECKS_IN_FLIGHT = 16;

/** How deep bases of bases are merged (7: today's daemon stops at 2 as well). */
export const MAX_BASE_DEPTH = 2;

/** Ancestors that the merges of one check ask for: each merge of different trees walks to where its parents parted. */
export const MAX_ANCESTORS_ASKED = 5_000_000;

/** How far ahead of our clock, in seconds, a parent's time may be for us to follow it (2: "some minutes"). */
export const MAX_TIME_AHEAD = 300;
