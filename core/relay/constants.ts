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

/**
 * When all of that was in vain the device is asked what it has, and told again after this time, which doubles up to the longest: it may have been
 * waiting for a peer that was cut off, and drop all notifications meanwhile.
 */
export const RETELL_FIRST_MS = 20_000;
export const RETELL_LONGEST_MS = 10 * 60_000;

/**
 * Two clones at once cost 2023's daemon the conversation: the second one removes what the first has brought. Once accepted, it clones from who invited
 * it; so while that one is there we keep quiet for so long at first, and afterwards between two tellings.
 */
export const LEFT_TO_INVITER_MS = 30_000;
export const AFTER_INVITER_MS = 60_000;
/** How often it is looked whether the inviter is still there. */
export const INVITER_LOOK_MS = 5_000;

/** One who is invited and connected is told again this often, until it has the conversation. */
export const RETELL_INVITED_MS = 15_000;

/**
 * A commit of a device that 2023's daemon has never met kills its fetch, and every later one of that conversation (swarm-repository.md 5.3). What the
 * new device says itself brings its certificate: for this time after its first commit we let it speak first.
 */
export const INTRODUCTION_MS = 5_000;

/** So long after it was served a device is asked whether it really took what it got: a fetch of 2023's daemon may fail at its end. */
export const VERIFY_MS = 5_000;

/** A device that did not take what it got is told so many times more, until something new comes. */
export const MAX_FAILED_DELIVERIES = 3;

/** After a device was served: time for it to take in the pack before it is told of what came meanwhile. */
export const AFTER_SERVING_MS = 60;

/** Notifications to one device for one conversation keep this distance. */
export const NOTIFY_DISTANCE_MS = 100;

/** Packs sent to one device at one time. */
export const PACKS_PER_DEVICE = 2;

/** After a failed clone: the first wait, and the longest (swarm-sync.md 2.3). */
export const CLONE_FIRST_MS = 5_000;
export const CLONE_LONGEST_MS = 12 * 60 * 60_000;

/** Conversations of one account that are to be cloned: each is tried again and again. */
export const MAX_WANTED_OF_ACCOUNT = 100;

/** What an invitation may say besides its mode, each so many characters at most (account.md 6.5). */
export const INVITATION_TEXTS = ["title", "description"] as const;
export const MAX_INVITATION_TEXT = 64_000;

/** A head whose history was refused is not fetched again for this time. */
export const REFUSED_MS = 10 * 60_000;
export const REFUSED_KEPT = 1_024;

/** Devices whose packs are counted. */
export const DEVICES_SERVED = 4_096;

/** Commits given as "haves" in a fetch (swarm-sync.md 1.4). */
export const MAX_HAVES = 256;

/** Heads remembered as held by one device: more than one when it merged what we merged otherwise. */
export const HEADS_PER_DEVICE = 8;

/** Bytes of packs being received at one time, from all peers together: one pack may have 256 MiB (swarm-sync.md 8.2 item 11). */
export const MAX_RECEIVING_BYTES = 384 * 1024 * 1024;

/** After the first has fetched our leaving: time for others to get it too, and for no fetch to be cut in the middle. */
export const LEAVING_MS = 10_000;

/** Invitations into one public group that are given to whoever asks: so many a second, and so many at once. */
export const PUBLIC_JOIN_RATE = 0.2;
export const PUBLIC_JOIN_BURST = 20;

/** Public groups whose joins are counted. */
export const PUBLIC_GROUPS_RATED = 1_024;

/** Those who asked and have not joined yet, in one group: who asks with many names fills no more than this with them. */
export const MAX_PENDING_INVITED = 100;

/** Attempts to use one join link: so many a second, and so many at once; and links whose attempts are counted. */
export const LINK_RATE = 0.5;
export const LINK_BURST = 30;
export const LINKS_RATED = 1_024;

/** New invitations that a join link sends to an account that is invited already, a second and at once; and accounts counted. */
export const RENEWAL_RATE = 1 / 600;
export const RENEWAL_BURST = 2;
export const RENEWALS_RATED = 4_096;

/** Random bytes of a join link's secret. */
export const LINK_SECRET_BYTES = 32;

/** Bytes of a file read at one time: one frame of a channel. */
export const FILE_CHUNK = 65_535;

/** Files fetched at one time, and of one conversation, so that a slow one does not hold up the others. */
export const PARALLEL_DOWNLOADS = 4;
export const DOWNLOADS_OF_CONVERSATION = 2;

/** Bytes that a download must bring in each such time; a slower one is ended, and goes on later, with somebody else if there is one. */
export const DOWNLOAD_LEAST_BYTES = 32_768;
export const DOWNLOAD_WINDOW_MS = 30_000;

/** When all connected members were asked in vain for a conversation's files: the first wait, and the longest, until they are asked again. */
export const DOWNLOAD_RETRY_FIRST_MS = 5_000;
export const DOWNLOAD_RETRY_LONGEST_MS = 10 * 60_000;

/** Files of a conversation that are looked at for one to fetch, and requests that may fail until the next wait. */
export const WANTED_FILES = 64;
export const MAX_REFUSED_DOWNLOADS = 256;

/** Members who sent wrong bytes of a file are remembered, so many. */
export const WRONG_SOURCES_KEPT = 4_096;

/** Files sent to one device at one time, and requests of it that may wait for their turn. */
export const FILES_PER_DEVICE = 4;
export const FILES_WAITING_PER_DEVICE = 60;

/** How often files are looked for that have become too old. */
export const RETENTION_EVERY_MS = 60 * 60_000;

/** Rows of files treated at one time, so that other work comes in between. */
export const FILE_BATCH = 500;

/** Profiles taken from one account: at once, and a second. 2023's daemon sends its own after each fetch until one got through. */
export const PROFILE_BURST = 10;
export const PROFILE_RATE = 1 / 30;
export const PROFILE_RATES_KEPT = 4_096;

/** Time for a profile to come in or go out. */
export const PROFILE_TIMEOUT_MS = 30_000;

/** Attempts to give a device our profile on one connection: one who has not cloned yet declines. */
export const PROFILE_ATTEMPTS = 8;

/** What may be kept of histories that were refused. */
export interface RefusedBound {
  readonly count: number;
  readonly bytes: number;
}

/** Of one conversation: about 40 000 messages, which is more than an admin leaves lying. */
export const MAX_REFUSED_OF_CONVERSATION: RefusedBound = { count: 16, bytes: 32 * 1024 * 1024 };

/** Of all together. */
export const MAX_REFUSED_HISTORIES: RefusedBound = { count: 256, bytes: 256 * 1024 * 1024 };

/** Revoked devices that the admin was told of are remembered, so many. */
export const REVOKED_WRITERS_TOLD = 1_024;

/** Connections made for overlays at one time: the links to members whose presence is known come first. */
export const OVERLAY_CONNECTS = 8;

/** What has changed is told to the own account's devices after this time without another change (account.md 8.1, today). */
export const SYNC_SOON_MS = 1_000;

/** `sync://` channels with one own device: one each way, and again while an old connection dies. */
export const MAX_SYNC_CHANNELS = 8;

/** Characters of a device's name that are kept. */
export const MAX_DEVICE_NAME = 64;

/** Linking a device ends after this time, on both sides (account.md 9.2). */
export const LINK_PATIENCE_MS = 5 * 60_000;

/** Wrong passwords that a new device may send (account.md 9.2). */
export const LINK_PASSWORD_TRIES = 3;

/** Wrong codes after which a new device listens to nobody any more: of 900,000 nobody guesses one with so few. */
export const LINK_CODE_TRIES = 10;

/** A device that is to be linked is looked for this often until its certificate is on the DHT. */
export const LINK_FIND_EVERY_MS = 2_000;

/** Without network a new device says so this often. */
export const LINK_REMIND_MS = 15_000;

/** After the archive was sent the new device has this time to end the channel itself, with all of it. */
export const LINK_CLOSE_MS = 3_000;
