/** Limits of the store, each with its reason. */

/** Milliseconds to wait for another connection's lock (a backup, or `deno task reindex` reading). */
export const BUSY_TIMEOUT = 5_000;

/** Marks the file as ours (SQLite `application_id`): "KITU" in ASCII. */
export const APPLICATION_ID = 0x4b495455;

/** Pending contact requests kept. Anyone may send one (account.md 6), so a flood drops the oldest. */
export const MAX_TRUST_REQUESTS = 1_000;

/** Pending and declined group invitations kept; as above. */
export const MAX_CONVERSATION_REQUESTS = 1_000;

/** Devices remembered for one account: whoever holds an account key can sign any number of them. */
export const MAX_DEVICES_PER_ACCOUNT = 100;

/** Treated ids remembered of each kind (swarm-sync.md 8.2 item 9 suggests 10,000). */
export const MAX_TREATED = 10_000;

/** Milliseconds a treated id is remembered: far longer than any peer or DHT node repeats a message. */
export const TREATED_AGE = 30 * 24 * 3_600_000;

/** Treated ids are pruned once in so many additions: pruning scans a kind's ids. */
export const TREATED_PRUNE_EVERY = 256;

/** Rows that one page may hold, whatever is asked for. */
export const MAX_PAGE = 1_000;

/** Words of a query that are looked for: nobody types more, and each costs a look into the index. */
export const MAX_SEARCH_WORDS = 16;

/** Characters of one text that can be searched: a message may have megabytes, and cutting them into words takes time. */
export const MAX_SEARCHED_TEXT = 64 * 1024;

/** Profiles kept: with 512 KiB each (messaging) at most 1 GiB; the one that came longest ago gives way. */
export const MAX_PROFILES = 2_000;

/** Devices of which it is remembered that they have our profile. */
export const MAX_PROFILES_SENT = 10_000;

/** Answers of name servers that are remembered: two for each person of many large groups. */
export const MAX_NAME_ANSWERS = 20_000;

/** Accounts named as sources of one conversation that is to be cloned: one of them is enough. */
export const MAX_CLONE_SOURCES = 64;

/** Members of one conversation whose status own devices tell each other: as many as large groups have. */
export const MAX_STATUSES = 1_024;
