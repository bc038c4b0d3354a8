/** Limits and timers of the account room. */

/** A trust request is sent again this often while its account is announced: a value lives 10 minutes (account.md 6.2). */
export const REQUEST_RESEND_MS = 10 * 60_000;

/** Payload (a vCard) of a trust request: larger ones are sent and kept empty (account.md 6.2). */
export const MAX_REQUEST_PAYLOAD = 64_000;

/** RSA decryptions of inbox values a second, and at once: anybody may write there (account.md 14). */
export const INBOX_RATE = 20;
export const INBOX_BURST = 200;

/** Requests taken from one account a second, and at once: each may be answered with a put for every device. */
export const REQUEST_RATE = 0.1;
export const REQUEST_BURST = 10;

/** Accounts whose rates are remembered. */
export const RATES_KEPT = 1_024;

/** Values recognised when the DHT tells them again. */
export const SEEN_VALUES = 4_096;

/** Senders looked for at one time; further requests are dropped. */
export const MAX_PENDING_SENDERS = 64;

/** The certificate of a sender may reach the DHT after its request: the waits before each new look-up. */
export const CERTIFICATE_RETRY_MS = [2_000, 5_000, 15_000, 60_000] as const;

/** A look-up on the DHT ends after this time at the latest. */
export const LOOKUP_TIMEOUT_MS = 10_000;

/** Look-ups of certificates at one time; more find nothing. */
export const MAX_LOOKUPS = 256;

/** Parsed chains in memory; all of them are in the store. */
export const CACHED_CHAINS = 2_000;

/** Revocation lists kept until a certificate of their account is known. */
export const MAX_UNVERIFIED_LISTS = 256;

/** Devices of one account that are followed: more are ignored. */
export const MAX_DEVICES_PER_ACCOUNT = 32;

/** Announcements of one account: old ones of a device that starts often live until they expire. */
export const MAX_ANNOUNCEMENTS = 4 * MAX_DEVICES_PER_ACCOUNT;

/** Certificate chains that are published for others, to bridge the generations (account.md 1.3). */
export const MAX_BRIDGED_CHAINS = 2_000;

/** A PEM chain or a revocation list from the DHT, in bytes. */
export const MAX_CERTIFICATE_VALUE = 32 * 1024;
export const MAX_CRL_VALUE = 64 * 1024;

/** The DHT tells a value again for the 10 minutes of its life: a declined request is not shown anew in this time. */
export const DECLINED_REPEAT_MS = 15 * 60_000;

/** Bytes of an instant message in the inbox: a DHT value holds no more anyway. */
export const MAX_INSTANT_MESSAGE = 64 * 1024;

/** Milliseconds that a name server has for an answer. */
export const NAME_SERVER_TIMEOUT = 10_000;

/** Bytes of a name server's answer: a key of 8192 bits and its signature are 4 KiB. */
export const MAX_NAME_ANSWER = 64 * 1024;

/** Requests to the name server at one time, and those that wait. */
export const NAME_REQUESTS = 4;
export const NAME_REQUESTS_QUEUE = 64;

/** A name once registered stays with its account, but for an administrator of the server: asked again after so many milliseconds. */
export const NAME_KEPT_MS = 7 * 24 * 3_600_000;

/** Who has no name may get one: milliseconds until that is asked again. */
export const NAMELESS_KEPT_MS = 6 * 3_600_000;

/** As above for a name that nobody has: a person is waiting who may have registered it this minute. */
export const FREE_NAME_KEPT_MS = 60_000;

/** Milliseconds without questions for the display after the name server did not answer one. */
export const NAME_SERVER_REST_MS = 60_000;

/** Accounts whose names are still to be asked for; who finds no place is asked for when shown the next time. */
export const MAX_WANTED_NAMES = 2_000;

/** Names that the own name server gives out: at about 2 KiB each 200 MiB. */
export const MAX_REGISTERED_NAMES = 100_000;

/** Registrations that the own name server checks at one time, and those that wait: each costs a look at an RSA key. */
export const NAME_CHECKS = 2;
export const NAME_CHECKS_QUEUE = 32;

/** A state of an own device that lies further ahead is not believed: the later state of a thing wins, and it would for ever. */
export const MAX_SYNC_SKEW_MS = 24 * 3_600_000;

/** Conversations that are to be cloned at one time because another own device has them. */
export const MAX_SYNCED_CLONES = 10_000;

/** Contacts, removed and banned ones included, beyond which other own devices add no more: as many as an archive may hold. */
export const MAX_SYNCED_CONTACTS = 100_000;
