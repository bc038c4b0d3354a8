/** Limits and timers of moderation, each with its reason. */

/** What protections did is kept so often: some months of a busy node, a few MB. */
export const ACTIONS_KEPT = 20_000;

/** Reports that are kept; resolved ones give way first. */
export const REPORTS_KEPT = 10_000;

/** Characters of a report: enough to tell what happened. */
export const MAX_REPORT = 2_000;

/** Reports of one account: so many at once, and one more each so many seconds. */
export const REPORT_BURST = 5;
export const REPORT_RATE = 1 / 600;
export const REPORTERS_RATED = 4_096;

/** The same protection finds the same account in the same group no more often than this: one flood is one finding. */
export const FINDING_EVERY_MS = 10 * 60_000;
export const FINDINGS_REMEMBERED = 10_000;

/** Bans and holds by protections in one group: so many at once, and one more each so many seconds. What is over it is told to a moderator. */
export const BAN_BURST = 20;
export const BAN_RATE = 1 / 60;
/** And in all groups of the node. */
export const NODE_BAN_BURST = 100;
export const NODE_BAN_RATE = 1 / 10;
export const GROUPS_RATED = 4_096;

/** Groups whose protections keep what they have seen in memory; what is forgotten is read again from the store. */
export const GROUPS_WATCHED = 1_024;

/** Commits of a group that are read again for that: more than any window of time that is worth watching has. */
export const REMEMBERED_COMMITS = 1_000;

/** Commits that are judged between two breaths of the main thread. */
export const JUDGED_AT_ONCE = 200;

/** Accounts of one group that a protection keeps in mind; those seen longest ago are forgotten. */
export const ACCOUNTS_IN_MIND = 5_000;

/** Characters of a text that patterns look at, and all texts that words are looked for in: a chat message is far shorter. */
export const MAX_PATTERN_TEXT = 4_000;
export const MAX_WORD_TEXT = 50_000;

/** Bytes of a file that tell what it is. */
export const FILE_HEAD = 64;

/** Bans that are over end within this time. */
export const EXPIRY_EVERY_MS = 5_000;
/** After an end of a ban that failed. */
export const EXPIRY_RETRY_MS = 10 * 60_000;
export const EXPIRIES_RETRIED = 10_000;

/** A list of bans: bytes, entries, and lists of one node. */
export const MAX_LIST_BYTES = 4 * 1024 * 1024;
export const MAX_LIST_ENTRIES = 20_000;
export const MAX_LISTS = 50;

/** A fetch of a list takes no longer than this, and follows so many redirects. */
export const LIST_TIMEOUT_MS = 30_000;
export const LIST_REDIRECTS = 3;

/** Whoever asks for a fetch is answered after this long at most: what comes of it stands in the list. */
export const LIST_PATIENCE_MS = 8_000;

/** Lists that are due are looked for this often. */
export const LISTS_EVERY_MS = 30_000;

/** After a failure a list is tried again: the first wait, and the longest. */
export const LIST_RETRY_FIRST_MS = 5 * 60_000;
export const LIST_RETRY_LONGEST_MS = 24 * 3_600_000;

/** Accounts on the allowlist of the protections. */
export const MAX_ALLOWED = 1_000;
