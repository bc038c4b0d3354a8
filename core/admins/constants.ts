/** Limits and timers of the console's accounts, each with its reason. */

/** Characters of a password: at least (NIST SP 800-63B-4 asks for 15 or a second factor, here a list and a rate help), at most. */
export const MIN_PASSWORD = 12;
export const MAX_PASSWORD = 256;

/** Argon2id of new passwords: KiB of memory and passes. RFC 9106, 4, second recommendation, with one lane. */
export const PASSWORD_MEMORY = 64 * 1024;
export const PASSWORD_PASSES = 3;

/** Passwords hashed at a time, for each takes 64 MiB and a core; and how many may wait. */
export const MAX_HASHING = 2;
export const MAX_HASHING_WAIT = 20;

/** Characters of a name of an admin, a passkey or a token. */
export const MAX_NAME = 64;

/** Milliseconds that the link of the first set-up is good for. */
export const SETUP_AGE = 3_600_000;

/** Milliseconds after which a session ends: since its last use, and in all. */
export const SESSION_IDLE = 12 * 3_600_000;
export const SESSION_AGE = 7 * 24 * 3_600_000;

/** The last use of a session or token is noted in steps of so many milliseconds: not each request shall write. */
export const USED_STEP = 60_000;

/** Sessions of one admin; the one not used for longest gives way. */
export const MAX_SESSIONS = 20;

/** Passkeys of one admin, API tokens, open invitations and admins: more than anybody can oversee. */
export const MAX_PASSKEYS = 20;
export const MAX_API_TOKENS = 100;
export const MAX_ADMIN_INVITATIONS = 100;
export const MAX_ADMINS = 100;

/** Milliseconds that a passkey dialogue may take, and dialogues remembered: the oldest give way. */
export const CHALLENGE_AGE = 5 * 60_000;
export const MAX_CHALLENGES = 1_000;

/** Sign-ins tried for one account: so many at once, then one in 30 s. Guessing 12 characters takes far longer. */
export const ACCOUNT_BURST = 10;
export const ACCOUNT_RATE = 1 / 30;

/** Sign-ins, dialogues and links tried from one address: many admins may sit behind one. */
export const ADDRESS_BURST = 30;
export const ADDRESS_RATE = 1 / 5;

/** Accounts and addresses of which tries are counted; what is dropped begins anew. */
export const MAX_COUNTED = 10_000;

/** Entries of the audit trail that a check hashes before others get their turn: a few milliseconds. */
export const CHECK_STEP = 1_000;

/** Characters kept of what a browser calls itself. */
export const MAX_AGENT = 300;

/** Refused sign-ins that the audit trail notes: it is never shortened, so nobody from outside may fill it. */
export const REFUSALS_BURST = 20;
export const REFUSALS_RATE = 1 / 60;
