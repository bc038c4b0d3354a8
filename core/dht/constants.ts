/**
 * Every limit and timer of the DHT, with its section of opendht.md or its reason. Times are milliseconds, sizes bytes.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Agent text in our packets (2.1: not interpreted by anyone). */
export const AGENT = "KTU1";
/** The port of a bootstrap host that names none (6.5), and the customary own one (1). */
export const DEFAULT_PORT = 4222;
/** The listen protocol we speak (2.7). */
export const LISTEN_VERSION = 1;
/** Most nodes told in one list of a reply (2.2). */
export const NODES_IN_REPLY = 8;

// Sizes on the wire (2.8)
/** Values whose packed sizes sum to less than this go inline. */
export const INLINE_BYTES = 600;
/** … and if they are fewer than this. */
export const INLINE_VALUES = 50;
/** Most bytes of a value in one part. */
export const PART_BYTES = 1280;
/** Most of cypher + data + signature + user type + push type in one value. */
export const MAX_VALUE_BYTES = 65_536;
/** Longest value that may be announced to follow in parts. */
export const MAX_ANNOUNCED_BYTES = MAX_VALUE_BYTES + 32;
/** Bytes of parts kept while their header has not arrived. */
export const MAX_EARLY_BYTES = 56 * 1024 + 64 * 1024 + 32;
/** An assembly ends this long after its last part … */
export const ASSEMBLY_IDLE = 3 * SECOND;
/** … and this long after its first. */
export const ASSEMBLY_LIFE = 10 * SECOND;
/** Assemblies at a time, in all and from one address (own choice: 32 MiB is more than a burst of large replies). */
export const MAX_ASSEMBLIES = 256;
export const MAX_ASSEMBLIES_PER_ADDRESS = 64;
export const MAX_ASSEMBLY_BYTES = 4 * 1024 * 1024;
export const MAX_ASSEMBLIES_BYTES = 32 * 1024 * 1024;
/** Most value bytes in one update push (2.7: as 4.3 splits). */
export const PUSH_BYTES = 56 * 1024;
/**
 * Most value bytes in one get reply (own choice: a forged source address must not gain more; a searcher asks by id).
 */
export const REPLY_BYTES = 256 * 1024;
/** Most rows of a field reply (own choice: one datagram). */
export const REPLY_ROWS = 2048;

// Requests (6.4)
/** Attempts of one request. */
export const REQUEST_ATTEMPTS = 3;
/** The first delay; each wait is twice the last plus up to `REQUEST_JITTER`. */
export const REQUEST_DELAY = 500;
export const REQUEST_JITTER = 250;
/** Requests under way at a time (own choice: memory). */
export const MAX_PENDING = 4096;
/** … of which pushes to listeners: those of strangers must not keep out one's own. */
export const MAX_PENDING_PUSHES = 2048;
/** How long one that finds no room waits before it fails. */
export const BUSY_WAIT = 1 * SECOND;

// What others may ask of us (2.8)
export const REQUESTS_PER_SECOND = 8192;
export const REQUESTS_PER_SECOND_PER_SOURCE = 1024;
/** Sources whose rate is remembered (own choice: memory). */
export const MAX_RATED_SOURCES = 8192;
/** Addresses that gave a find or get reply without token and are never spoken to again (2.5); oldest forgotten. */
export const MAX_BLACKLIST = 1024;
/** Signatures of foreign values being checked at a time, and waiting (own choice: CPU). */
export const VERIFY_PARALLEL = 4;
export const VERIFY_QUEUE = 256;

// Nodes (6.1, 6.2)
/** A good node replied within this time … */
export const NODE_REPLY_TIME = 120 * MINUTE;
/** … and was heard within this. */
export const NODE_HEARD_TIME = 10 * MINUTE;
/**
 * A node of the table not heard for this long is asked for a sign of life (own choice: good nodes stay good, dead ones
 * are found) …
 */
export const NODE_CHECK_TIME = 7 * MINUTE;
/** … so many at once. */
export const NODE_CHECKS = 16;
/** Nodes in a bucket of the routing table. */
export const BUCKET_NODES = 8;
/** Nodes remembered per family besides those in use (own choice: memory). */
export const MAX_KNOWN_NODES = 4096;
/** Wrong-token errors in a row after which a node counts as expired (2.4). */
export const MAX_AUTH_ERRORS = 3;

// Maintenance (6.3)
export const CONFIRM_START = [3 * SECOND, 5 * SECOND] as const;
export const CONFIRM_BUSY = [5 * SECOND, 25 * SECOND] as const;
export const CONFIRM_IDLE = [60 * SECOND, 180 * SECOND] as const;
export const SWEEP = [2 * MINUTE, 6 * MINUTE] as const;
/** A bucket without a reply for this long is maintained. */
export const BUCKET_QUIET = 10 * MINUTE;
/** One's own neighbourhood is explored while its bucket grew within this time. */
export const NEIGHBOURHOOD_GROWN = 150 * SECOND;
/** One in so many maintenance requests goes to a neighbouring bucket; … asks for both families. */
export const NEIGHBOUR_BUCKET_ODDS = 8;
export const BOTH_FAMILIES_ODDS = 38;

// Bootstrap (6.5). Upstream doubles up to 24 h; an always-on node should be back soon after a long outage.
export const BOOTSTRAP_FIRST = 10 * SECOND;
export const BOOTSTRAP_LAST = 15 * MINUTE;
/** Nodes of the previous run that are tried again (own choice). */
export const MAX_STATE_NODES = 256;
/** Own addresses voted for, remembered per family (6.6). */
export const MAX_VOTES = 32;

// What tells whether the node can be reached (own choices)
/** A request from where nothing was sent for so long came unasked: routers forget UDP after 30 s to 3 min, good ones after 5 (RFC 4787, 4.3). */
export const UNASKED_AFTER = 5 * MINUTE;
/** IP addresses of which it is known when they were spoken to (memory). */
export const MAX_SPOKEN_TO = 16_384;
/** Good nodes that a test of the network asks for a sign of life. */
export const TEST_NODES = 8;

// Tokens (2.5)
export const TOKEN_ROTATION = [15 * MINUTE, 45 * MINUTE] as const;
export const TOKEN_SECRET_BYTES = 8;
export const MAX_TOKEN_BYTES = 64;
/** A searcher trusts a token for this long. */
export const TOKEN_FRESH = 10 * MINUTE;

// Storing for others (6.8)
export const STORE_BYTES = 64 * 1024 * 1024;
/** What one stored value costs besides its content (own choice, so that many tiny values are not free). */
export const VALUE_OVERHEAD = 256;
/** When the quota is reached, so much of it is freed at once (own choice: one sort serves many puts). */
export const EVICT_SHARE = 0.05;
/**
 * Upstream allows 65 536; each get looks at all of them, so an inbox that is flooded should not cost every asker that
 * much.
 */
export const MAX_VALUES_PER_KEY = 8192;
/** We store what lies nearer to us than the so-manyth good node known. */
export const STORE_RANK = 14;
/** Listen entries not renewed for this long are dropped (2.7). */
export const LISTEN_LIFE = 10 * MINUTE;
/** Listen entries of others: in all, per key, per node (own choice: memory and push work). */
export const MAX_REMOTE_LISTENS = 16_384;
export const MAX_REMOTE_LISTENS_PER_KEY = 512;
export const MAX_REMOTE_LISTENS_PER_NODE = 512;

// Searches (7)
/** Nodes of a search that are not expired. */
export const SEARCH_NODES = 14;
/** Expired nodes a search remembers so as not to ask them again (own choice); all of them dead = search expired. */
export const SEARCH_DEAD_NODES = 25;
/** Requests of one search in flight. */
export const SEARCH_PARALLEL = 4;
/** Values are put on, and got from, so many closest nodes … */
export const TARGET_NODES = 8;
/** … and listened for at so many. */
export const LISTEN_NODES = 4;
/** A listen is renewed after this time. */
export const LISTEN_RENEW = 20 * SECOND;
/** A search is refilled from the known nodes at most this often. */
export const SEARCH_REFILL = 10 * MINUTE;
/** A search without operations is forgotten after this time. */
export const SEARCH_IDLE = 62 * MINUTE;
/** Searches at a time, in both families (own choice: memory). */
export const MAX_SEARCHES = 8192;
/** Values fetched from one node by one get, and at a time (own choice: an inbox may be flooded). */
export const MAX_FETCHES = 1024;
export const FETCH_PARALLEL = 4;
/** Values remembered per node of a listen (7.4). */
export const MAX_LISTENED_VALUES = 4096;
/** … and their bytes, per node and in all (own choice: anyone can be a node near an inbox). */
export const MAX_LISTENED_BYTES = 4 * 1024 * 1024;
export const MAX_ALL_LISTENED_BYTES = 64 * 1024 * 1024;
/** New values that one node may tell a listen of, per second and at once (own choice: each may cost a decryption). */
export const LISTENED_PER_SECOND = 50;
export const LISTENED_AT_ONCE = 1000;
/** Distinct values one get gives, and their bytes (own choice). */
export const MAX_FOUND_VALUES = 4096;
export const MAX_FOUND_BYTES = 16 * 1024 * 1024;
/** A listen without listeners goes on for this long. */
export const LISTEN_LINGER = 60 * SECOND;
/** Keys listened on by us at a time (own choice). */
export const MAX_LISTENED_KEYS = 4096;
/** Puts and gets of ours under way at a time (own choice). */
export const MAX_OPERATIONS = 8192;
/** Refresh of a permanent value this long before it would expire. */
export const REFRESH_MARGIN = 10 * SECOND;
/** … and at least so often, whatever the lifetime: a storing node that was restarted has nothing left (own choice). */
export const REFRESH_AT_LEAST = 1 * HOUR;
/** A put or get that could not be finished by then ends with what it has (own choice). */
export const PUT_TIMEOUT = 60 * SECOND;
export const GET_TIMEOUT = 30 * SECOND;

/** Lifetimes of the value types (5.1); every other type has that of type 0. */
export const LIFETIMES: ReadonlyMap<number, number> = new Map([
  [0, 10 * MINUTE],
  [1, 5 * MINUTE],
  [2, 15 * MINUTE],
  [3, 5 * MINUTE],
  [4, 7 * DAY],
  [5, 1 * MINUTE],
  [8, 7 * DAY],
]);
