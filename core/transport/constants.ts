/** Every limit and timer of the transport room. Times in milliseconds, sizes in bytes. Numbers in brackets: sections of connection.md. */

const KIB = 1024;
const MIB = 1024 * KIB;

// --- signalling (2) ---

/** The requester's wait for the answer, from the put on (2.4). */
export const ANSWER_TIMEOUT = 30_000;
/** A request on the DHT may get lost, as may its answer: it is made again after this time, so many times in all. */
export const ASK_AGAIN = 4_000;
export const ASKED_AT_MOST = 3;
/** Connection ids are drawn from 1 up to this (2.2). */
export const MAX_REQUEST_ID = Number.MAX_SAFE_INTEGER;
/** Longest `ice_msg` accepted: 31 candidate lines of 120 bytes, and as much again. */
export const MAX_ICE_TEXT = 8 * KIB;
/** Longest `connType` accepted: a MIME type and a conversation id, with room. */
export const MAX_CONN_TYPE = 256;
/** Largest encrypted signalling value looked at: RSA block, signer's key, signature, an ICE text. */
export const MAX_SIGNALLING_VALUE = 16 * KIB;
/** Decryptions of signalling values at once, and waiting: each is an RSA operation that anybody can cause. */
export const DECRYPT_PARALLEL = 4;
export const DECRYPT_QUEUE = 256;
/** Decryptions per second for all senders together, and at once. */
export const DECRYPT_RATE = 50;
export const DECRYPT_BURST = 400;
/** Connection requests per second for one signer, and at once (8.4: limit before any expensive step). */
export const SIGNER_RATE = 0.5;
export const SIGNER_BURST = 12;
/** How many signers' rates, and how many values already looked at, are remembered. */
export const SIGNERS_REMEMBERED = 4096;
export const VALUES_REMEMBERED = 4096;
/** Sessions between request and open connection: in total, and for one device (10). */
export const MAX_SESSIONS = 64;
export const MAX_SESSIONS_PER_DEVICE = 4;
/** Open connections with one device: the peers keep crossing ones (7.2), so more than two, but not any number. */
export const MAX_CONNECTIONS_PER_DEVICE = 16;
/** Time for finding a signer's certificate chain. */
export const CERTIFICATE_TIMEOUT = 20_000;

// --- ICE (3, 4) ---

/** Candidate lines read: all, hosts, relays (3.2). */
export const MAX_CANDIDATES = 31;
export const MAX_HOST_CANDIDATES = 8;
export const MAX_RELAY_CANDIDATES = 4;
/** From the two texts known to TLS started (10). */
export const ICE_TIMEOUT = 40_000;
/** A check on one TCP connection without response has failed (4.3). */
export const CHECK_TIMEOUT = 8_000;
/** A peer that was asked to connect to us, and only to us, has this long after its answer: its dial, and a little. */
export const PROBE_TIMEOUT = 18_000;
/** Dialling one candidate (4.3). */
export const DIAL_TIMEOUT = 15_000;
/** Between two dials (4.3, pacing). */
export const DIAL_PACE = 50;
/** Relayed addresses refuse until the peer has set its permission: tries, and time between them (4.4). */
export const RELAY_DIALS = 24;
export const RELAY_DIAL_PAUSE = 500;
/** TCP connections of one session: both sides dial at once, a few candidates each (4.1). */
export const MAX_LINKS = 24;
/** A TCP connection on our port without a valid check for a known session is closed after this (10). */
export const STRANGER_TIMEOUT = 10_000;
/** TCP connections on our port that have not shown such a check yet: in total, and from one address. */
export const MAX_STRANGERS = 256;
export const MAX_STRANGERS_PER_ADDRESS = 32;
/** Bytes that are not STUN accepted before a nomination, an early ClientHello included (10). */
export const MAX_EARLY_DATA = 8192;
/** STUN bytes waiting to be written on one connection; a peer that asks and does not read goes beyond. */
export const MAX_STUN_BACKLOG = 64 * KIB;
/** Between two keep-alives on a selected connection (4.6). */
export const KEEP_ALIVE = 20_000;
/** Nothing read for so long, keep-alives included: ask by a beacon (4.6: the peers send one every 20 to 24 s). */
export const SILENCE = 50_000;
/** A write that makes no progress for so long means a dead TCP connection. */
export const WRITE_STALL = 30_000;
/** Time for the last bytes (a close_notify) to go out before TCP is closed. */
export const LINGER = 200;
/** One read from a TCP connection: a TLS record; each idle connection holds a buffer of this size. */
export const READ_SIZE = 16 * KIB;
/** Most bytes in one frame (RFC 4571; 4.2). */
export const MAX_FRAME = 65_535;

// --- TLS (5) ---

/** Handshake, our checks of the certificates included (5.2). */
export const TLS_TIMEOUT = 40_000;
/** Certificates of a presented chain that are looked at: device, account, CA, and room for one more level. */
export const MAX_CHAIN = 4;

// --- multiplexed socket (6) ---

export const CONTROL_CHANNEL = 0;
export const PROTOCOL_CHANNEL = 65_535;
/** First number of the TLS server's channels; the client's begin at 1 (6.2). */
export const FIRST_SERVER_CHANNEL = 0x8000;
/** Most bytes of data in one message (6.1). */
export const MAX_MESSAGE = 65_535;
/** Most bytes of one message as sent: array head, channel number, head of the data, data. */
export const MAX_PACKED_MESSAGE = 1 + 3 + 3 + MAX_MESSAGE;
/** Channels of one connection, those being opened included (6.4). */
export const MAX_CHANNELS = 256;
/** Bytes of a channel name (6.4). */
export const MAX_NAME = 1024;
/** The peer's answer to our channel request; today's peers want ours within 3 s, so this is generous (channel.ts). */
export const OPEN_TIMEOUT = 10_000;
/** Nothing at all heard for so long after such a request: is the peer still there? 2023's daemon sometimes writes into the void from the start. */
export const ANSWER_DOUBT = 4_000;
/** Control and protocol messages per second, and at once: a start with many conversations opens all its channels together. */
export const CONTROL_RATE = 100;
export const CONTROL_BURST = 1024;
/** Our own control messages waiting to be written; a peer that asks and does not read goes beyond. */
export const MAX_CONTROL_BACKLOG = 2048;
/** Unanswered beacons end the connection (6.5). */
export const BEACON_TIMEOUT = 3_000;
/** An idle connection older than this is asked by a beacon before it is trusted (6.5). */
export const BEACON_IDLE = 60_000;
/** Unread bytes of one channel at which the socket is paused (6.4). */
export const BACKLOG_PAUSE = 256 * KIB;
/** Longest pause, so that beacons (3 s) still get their answers: then one chunk is read (6.4). */
export const LONGEST_PAUSE = 2_000;
/** Unread bytes of one channel, and of all of one connection, beyond which the channel is ended (6.4). */
export const BACKLOG_END = 2 * MIB;
export const CONNECTION_BACKLOG = 16 * MIB;
/** Orderly close: time for the peer's close_notify before TCP is closed anyway (7.3, channel.ts: 1 s at most). */
export const CLOSE_TIMEOUT = 800;
