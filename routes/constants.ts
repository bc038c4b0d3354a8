/** Limits and timers of the HTTP face, each with its reason. */

/** Bytes of a request's body: a text message is the largest thing taken, and swarm messages stay below this. */
export const MAX_BODY = 64 * 1024;

/** Characters of an account's archive in base64 (8 MiB, as core/identity takes them), and bytes of the body around it. */
export const MAX_ARCHIVE_TEXT = 4 * Math.ceil((8 * 1024 * 1024) / 3);
export const MAX_ARCHIVE_BODY = MAX_ARCHIVE_TEXT + MAX_BODY;

/** Jami IDs on the allowlist, as the settings take them. */
export const MAX_ALLOWED = 64;

/** Characters of a posted text: leaves room in {@link MAX_BODY} for JSON's escapes of ordinary text. */
export const MAX_TEXT = 16_000;

/** Milliseconds between comment lines on an idle event stream, so that proxies and dead connections are noticed. */
export const EVENTS_KEEP_ALIVE = 15_000;

/** Characters of a group's title and description, and of its picture in base64, which with them stays below {@link MAX_BODY}. */
export const MAX_TITLE = 256;
export const MAX_DESCRIPTION = 2_000;
export const MAX_AVATAR = 48_000;

/** Characters of the reason of a ban. */
export const MAX_REASON = 500;

/** Seconds of the longest ban that ends by itself: ten years. */
export const MAX_BAN_SECONDS = 10 * 365 * 86_400;

/** Characters of the note by which a report is resolved. */
export const MAX_NOTE = 2_000;

/** Characters of the address of a list of bans, bytes of one that is put in by hand, and seconds between two fetches of it: often enough, and no burden to its server. */
export const MAX_URL = 2_000;
export const MAX_LIST_FILE = 2 * 1024 * 1024;
export const MIN_LIST_INTERVAL = 900;
export const MAX_LIST_INTERVAL = 30 * 86_400;

/** Events kept for watchers that come back with `Last-Event-ID`, or are slow. */
export const EVENTS_KEPT = 1_000;

/** Event streams open at a time: a console has a few, a fault in a script must not hold thousands. */
export const MAX_EVENT_STREAMS = 100;

/** Milliseconds a watcher waits before it connects again. */
export const EVENTS_RETRY = 2_000;

/** Milliseconds that answers under way have to finish when the node stops, of the 5 s it has in all. */
export const SHUTDOWN_PATIENCE = 1_000;

/** Characters of a search: nobody looks for more words than fit in here. */
export const MAX_QUERY = 200;

/** Milliseconds until a console that ended by itself listens again: twice as long each time, up to the second. */
export const RELISTEN_FIRST = 500;
export const RELISTEN_LAST = 30_000;

/** Times a join link can be used, and seconds it can work; and what it is when nothing is said. */
export const MAX_LINK_USES = 1_000;
export const LINK_USES = 50;
export const MAX_LINK_SECONDS = 366 * 24 * 3_600;
export const LINK_SECONDS = 7 * 24 * 3_600;

/** Bytes of what a join page sends: one Jami ID. */
export const MAX_JOIN_BODY = 1024;

/** Requests to join pages from one address: so many a second, and so many at once (a whole class may sit behind one). */
export const JOIN_RATE = 0.5;
export const JOIN_BURST = 60;

/** Addresses whose requests are counted. */
export const JOIN_ADDRESSES = 4_096;

/** Characters of the password of an archive. */
export const MAX_PASSWORD = 1_024;

/** Bytes of a registration at the own name server: a key of 8192 bits and its signature are 4 KiB. */
export const MAX_REGISTRATION = 16 * 1024;

/** Look-ups that one address may make a second, and at once: an app that opens asks for every contact. */
export const NAME_LOOK_UP_RATE = 10;
export const NAME_LOOK_UP_BURST = 500;

/** Registrations that one address may try a second, and at once: a household has a few accounts, each with one name. */
export const NAME_REGISTER_RATE = 1 / 60;
export const NAME_REGISTER_BURST = 10;

/** Addresses whose rates are remembered. */
export const NAME_CALLERS_KEPT = 10_000;

/** For how long an admin may read a conversation once they said why, ms; and how many such rights are remembered. */
export const REVEAL_MS = 15 * 60_000;
export const MAX_REVEALS = 1_000;

/** Characters that the reason of a reading must have at least: "x" is none. */
export const MIN_REASON = 3;

/** Messages that an export reads at a time, so that others get their turn between. */
export const EXPORT_BATCH = 500;

/** Characters of a passphrase: a guard against a file given by mistake; the node says what it asks for at least. */
export const MAX_PASSPHRASE = 1_024;

/** Log records kept for watchers that are slow, and watchers of the log at a time: owners only. */
export const LOG_LINES = 500;
export const MAX_LOG_STREAMS = 20;
