/** Every limit and timer of the messaging room, with the reason or the section of swarm-sync.md it comes from. */

/** Largest SIP message taken in, bytes, head and body together (8.2, item 11). */
export const SIP_MAX_IN = 64 * 1024;
/** Largest head (start line and headers) taken in: ten times what the peers send. */
export const SIP_MAX_HEAD = 8 * 1024;
/** Most header lines of one message: the peers send 12. */
export const SIP_MAX_HEADERS = 64;
/** Largest SIP message sent: the peers' receive buffer, a longer message blocks it for ever (3.4). */
export const SIP_MAX_OUT = 8000;
/** How long a request waits for its answer: timer F of RFC 3261 (3.3), ms. */
export const SIP_TIMEOUT = 32_000;
/** Most requests of ours without an answer on one channel. */
export const SIP_MAX_PENDING = 64;
/** Most parts of a multipart body: the peers know seven types. */
export const MULTIPART_MAX_PARTS = 16;
/** Metadata of an invitation longer than this, as JSON, are left out on `sip`, so that the packet fits (2.3, 3.4). */
export const SIP_MAX_METADATA = 1024;

/** Largest message of a `msg:` channel, bytes (8.2, item 11). */
export const MSG_MAX = 1024 * 1024;
/** Most msgpack values in one message of a `msg:` channel; a real one has 9. */
export const MSG_MAX_VALUES = 1024;
/** Metadata values of an invitation of this many bytes or more are left out (2.3). */
export const MSG_MAX_METADATA = 64_000;
/** Most metadata entries of an invitation that are read; the peers write four. */
export const MAX_METADATA_ENTRIES = 32;

/** Longest MIME type, characters: RFC 4288 allows 127 for each half. */
export const MAX_MIME_TYPE = 255;
/** Longest Message-ID that is kept for finding repetitions; the peers write 16 digits (3.2). */
export const MAX_TOKEN = 128;

/** How long one write may wait for the peer to take it, ms: as long as a SIP request. */
export const WRITE_TIMEOUT = SIP_TIMEOUT;
/** Most bytes that wait to be written on one channel; beyond it the peer does not read, and the channel is of no use. */
export const WRITE_MAX_QUEUE = 2 * 1024 * 1024;

/** Messages a second taken from one account, on average: a busy group of hundreds stays far below. */
export const PEER_RATE = 50;
/** Messages taken from one account at once: what a peer queued while it was away. */
export const PEER_BURST = 500;
/** A message counts once more for each so many bytes of text: the limits above bound bytes too. */
export const PEER_UNIT = 8192;
/** Accounts whose rate is remembered. */
export const PEER_RATES_KEPT = 4096;
/** After this many refused messages in a row the channel is closed: an honest peer stops at the first refusal. */
export const MAX_REFUSED = 1000;
/** Most messages waiting to be sent to one device. */
export const SEND_MAX_QUEUE = 256;
/** Most live message channels of one connection; the peers use one or two, each way. */
export const MAX_CHANNELS = 8;

/** Largest SyncMsg we write: a 2023 peer reads one per frame (4). */
export const SYNC_MAX_OUT = 65_535;
/** Largest SyncMsg taken in. */
export const SYNC_MAX_IN = 1024 * 1024;
/** Most msgpack values in one SyncMsg. */
export const SYNC_MAX_VALUES = 100_000;
/**
 * Frames a second taken from one own device, on average and at once; a frame counts once more for each so many bytes. Thousands of contacts and
 * conversations come in some hundred frames, when it connects.
 */
export const SYNC_RATE = 50;
export const SYNC_BURST = 5_000;
export const SYNC_UNIT = 16 * 1024;
/** Bytes that may wait for an own device to read them: its whole state, with thousands of conversations. */
export const SYNC_MAX_QUEUE = 32 * 1024 * 1024;
/** Members of a conversation, and characters of a text, that one record names: a record must fit into a frame. */
export const SYNC_MAX_MEMBERS = 500;
export const SYNC_MAX_TEXT = 8_000;
/** Trust requests told at once (account.md 8.1). */
export const SYNC_MAX_TRUST_REQUESTS = 20;
/** Preferences of one conversation that are kept: how many, and their characters together. */
export const MAX_PREFERENCES = 64;
export const MAX_PREFERENCES_TEXT = 16_384;

/** The version of the DRT that we speak (5.1). */
export const DRT_VERSION = 3;
/** Largest DRT message: 256 KiB of certificates and as much as the rest can be (5.5). */
export const DRT_MAX = 384 * 1024;
/** Most msgpack values in one DRT message: 128 leases and 512 nodes fill half of it. */
export const DRT_MAX_VALUES = 8192;
/** Most nodes in one FOUND answer that are read; the peers ask for 2. */
export const DRT_MAX_NODES = 512;
/** Most mobile infos in one message (5.5). */
export const DRT_MAX_MOBILE_INFOS = 128;
/** Most ids in a certificate request (5.5). */
export const DRT_MAX_CERT_IDS = 16;
/** Largest certificate in an answer, bytes (5.5). */
export const DRT_MAX_CERT = 64 * 1024;
/** Largest sum of the certificates of one answer, bytes (5.5). */
export const DRT_MAX_CERTS = 256 * 1024;
/** Longest conversation id of a lease, bytes (5.5). */
export const LEASE_MAX_CONVERSATION = 128;
/** Longest signature of a lease, bytes (5.5). */
export const LEASE_MAX_SIGNATURE = 1024;
/** How many nodes our FIND asks for (5.1). */
export const DRT_FIND_NODES = 2;
/** Most nodes we name in one answer, whatever is asked for. */
export const DRT_MAX_ANSWER = 32;
/** DRT messages a second handled from one channel, on average, and at once; more are dropped. */
export const DRT_RATE = 5;
export const DRT_BURST = 50;
/** Most `swarm://` channels with one device for one conversation: one each way is usual, two connections double it (5.1). */
export const DRT_MAX_CHANNELS = 4;
/** Most devices connected in one conversation's overlay. */
export const DRT_MAX_CONNECTED = 4096;
/** Bytes of DRT messages that may wait for a peer to read them: one as large as can be. */
export const DRT_MAX_QUEUE = DRT_MAX;

/** Connected nodes of a bucket before it is split, and how many maintenance looks for (5.2, 5.3). */
export const DRT_CAPACITY = 2;
/** Most known nodes that are not connected, in one conversation: the peers have no limit, and a FOUND answer brings 512. */
export const DRT_MAX_KNOWN = 1024;
/** The wait after a node's first failed attempt, ms; it doubles up to the longest (8.2, item 2). */
export const DRT_RETRY_FIRST = 5_000;
export const DRT_RETRY_LONGEST = 10 * 60_000;
/** A connection that ended sooner than this, ms, counts as a failed attempt: nobody can make us connect again and again. */
export const DRT_STABLE = 30_000;
/** Attempts in a row that fail before a node is forgotten: one that only others spoke of, and one that we saw ourselves. */
export const DRT_MAX_FAILURES = { heard: 3, seen: 8 };
/** Nodes and leases taken from one account: a second, and at once. Honest answers bring two nodes each. */
export const DRT_LEARN_RATE = 2;
export const DRT_LEARN_BURST = 128;
/** How often we send FIND for a random id, ms (5.1). */
export const DRT_REFRESH = 10 * 60_000;
/** So many of those nearest to a mobile node wake it (5.6). */
export const DRT_ENOUGH = 2;

/** The one version of leases there is (5.5). */
export const LEASE_VERSION = 1;
/** How far in the future a lease may be issued, s (5.5). */
export const LEASE_SKEW = 5 * 60;
/** How long a lease may last, s (5.5). */
export const LEASE_LONGEST = 30 * 24 * 60 * 60;
/** Leases that wait for their certificates, or are being checked (5.5). */
export const DRT_MAX_PENDING_LEASES = 64;
/** Most mobile nodes of one conversation that are remembered. */
export const DRT_MAX_LEASES = 4096;
/** How long a peer may take to answer a question for certificates, ms (5.5). */
export const DRT_CERT_TIMEOUT = 10_000;

/** Largest query of `svcdisc://query`; a real one has 15 bytes. */
export const SERVICE_QUERY_MAX = 4096;
/** Queries answered on one channel; the peers ask once. */
export const SERVICE_QUERY_COUNT = 16;

/** Longest channel name, bytes (10). */
export const MAX_CHANNEL_NAME = 512;

/** Largest vCard taken in or sent, bytes: clients scale pictures down to some tens of kB (6.5 sets no limit). */
export const MAX_VCARD = 512 * 1024;
/** Characters of a person's name that are kept. */
export const MAX_PERSON_NAME = 128;

/** Bytes of messages between a device that links and one that is linked that may wait to be written: an archive is one text. */
export const LINK_MAX_QUEUE = 40 * 1024 * 1024;
/** Largest message that the linking device takes: an archive's text as large as is read, and its frame (account.md 2.2). */
export const LINK_MAX_ARCHIVE = 33 * 1024 * 1024;
/** Largest message that a device of the account takes: a password. */
export const LINK_MAX_PASSWORD = 16 * 1024;
/** Most msgpack values in one such message: the peers send two texts. */
export const LINK_MAX_VALUES = 64;
