/** Limits and timers of the relay (swarm-sync.md 8.2). */

/** Connection attempts at one time. */
export const PARALLEL_CONNECTS = 16;

/** After a failed attempt: the first wait, and the longest, while the device is announced. */
export const RETRY_FIRST_MS = 5_000;
export const RETRY_LONGEST_MS = 10 * 60_000;

/**
 * A notification is idempotent, and 2023's daemon drops one that arrives while it fetches: so it is said again, after these waits, until the device is
 * seen to hold the commit.
 */
export const RENOTIFY_MS = [400, 1_500, 5_000, 15_000] as const;

/** After a device was served: time for it to take in the pack before it is told of what came meanwhile. */
export const AFTER_SERVING_MS = 60;

/** Notifications to one device for one conversation keep this distance. */
export const NOTIFY_DISTANCE_MS = 100;

/** Packs sent to one device at one time. */
export const PACKS_PER_DEVICE = 2;

/** After a failed clone: the first wait, and the longest (swarm-sync.md 2.3). */
export const CLONE_FIRST_MS = 5_000;
export const CLONE_LONGEST_MS = 12 * 60 * 60_000;

/** Group invitations that wait for a decision. */
export const MAX_PENDING_INVITATIONS = 1_000;

/** Commits given as "haves" in a fetch (swarm-sync.md 1.4). */
export const MAX_HAVES = 256;

/** Heads remembered as held by one device: more than one when it merged what we merged otherwise. */
export const HEADS_PER_DEVICE = 8;
