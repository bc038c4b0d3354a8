/**
 * The numbered steps from an empty file to today's tables. A step that was released is never changed: a new need is a
 * new step at the end. Texts are ids in lower-case hex; times are named with their unit.
 */

import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/errors.ts";
import { APPLICATION_ID } from "./constants.ts";
import { StoreError } from "./errors.ts";

/** Step number i+1 stands at place i. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE contacts (
    account TEXT PRIMARY KEY,
    added INTEGER NOT NULL,          -- ms
    removed INTEGER NOT NULL,        -- ms, 0 = never
    confirmed INTEGER NOT NULL,
    banned INTEGER NOT NULL,
    conversation TEXT NOT NULL,      -- '' = none
    added_by TEXT                    -- who or what added it
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE trust_requests (
    account TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    conversation TEXT NOT NULL,
    payload BLOB NOT NULL,
    received INTEGER NOT NULL        -- ms
  ) STRICT;
  CREATE INDEX trust_requests_received ON trust_requests (received);

  CREATE TABLE conversation_requests (
    conversation TEXT PRIMARY KEY,
    inviter TEXT NOT NULL,
    metadatas TEXT NOT NULL,         -- JSON object of texts
    received INTEGER NOT NULL,       -- ms
    declined INTEGER NOT NULL,       -- ms, 0 = not
    accepted INTEGER                 -- ms
  ) STRICT;
  CREATE INDEX conversation_requests_received ON conversation_requests (received);

  CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    mode INTEGER NOT NULL,
    created INTEGER NOT NULL,        -- ms
    removed INTEGER NOT NULL,        -- ms, 0 = not
    erased INTEGER NOT NULL,         -- ms, 0 = not
    state TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    head TEXT NOT NULL,              -- '' = nothing cloned yet
    invited_by TEXT
  ) STRICT, WITHOUT ROWID;

  -- seq never runs backwards, not even after a conversation was dropped: it is a cursor for readers
  CREATE TABLE commits (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation TEXT NOT NULL,
    id TEXT NOT NULL,
    position INTEGER NOT NULL,       -- rank in display order, 0 = oldest
    parents TEXT NOT NULL,           -- ids, one blank between
    tree TEXT NOT NULL,
    author TEXT NOT NULL,
    device TEXT NOT NULL,
    type TEXT NOT NULL,
    timestamp INTEGER NOT NULL,      -- s
    body TEXT NOT NULL,
    valid INTEGER,
    UNIQUE (conversation, id)
  ) STRICT;
  CREATE INDEX commits_arrival ON commits (conversation, seq);
  CREATE INDEX commits_position ON commits (conversation, position);

  CREATE TABLE device_heads (
    conversation TEXT NOT NULL,
    device TEXT NOT NULL,
    account TEXT NOT NULL,
    heads TEXT NOT NULL,             -- space-separated
    at INTEGER NOT NULL,             -- ms
    PRIMARY KEY (conversation, device)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE certificates (
    device TEXT PRIMARY KEY,
    short_id TEXT NOT NULL,
    account TEXT NOT NULL,
    chain_pem TEXT NOT NULL,
    seen INTEGER NOT NULL,           -- ms
    generation TEXT                  -- which message channel the device opened last
  ) STRICT;
  CREATE INDEX certificates_short_id ON certificates (short_id);
  CREATE INDEX certificates_account ON certificates (account, seen);

  CREATE TABLE revocation_lists (
    account TEXT PRIMARY KEY,
    number TEXT NOT NULL,            -- decimal: the CRL number has 64 bits and more
    der BLOB NOT NULL
  ) STRICT;

  CREATE TABLE invites (
    conversation TEXT NOT NULL,
    account TEXT NOT NULL,
    sent INTEGER NOT NULL,           -- ms, 0 = not yet
    PRIMARY KEY (conversation, account)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX invites_account ON invites (account);

  CREATE TABLE treated (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,             -- ms
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX treated_age ON treated (kind, at);
  `,
  `
  -- The index of commits is made anew from the repositories when they are opened: with what each commit changes, in
  -- display order at all times, and searchable.
  DELETE FROM commits;
  UPDATE conversations SET head = '';

  ALTER TABLE commits ADD COLUMN relation TEXT;                     -- how it changes another entry; NULL = not at all
  ALTER TABLE commits ADD COLUMN target TEXT;                       -- of what; NULL as above
  ALTER TABLE commits ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0; -- 1: no entry of its own in the display
  CREATE INDEX commits_target ON commits (conversation, target, relation, position) WHERE target IS NOT NULL;
  CREATE INDEX commits_entries ON commits (conversation, position) WHERE hidden = 0;

  -- rowid = seq of the commit; the texts themselves are not kept twice
  CREATE VIRTUAL TABLE search USING fts5(
    text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 2"
  );
    `,
  `
  ALTER TABLE invites RENAME COLUMN sent TO made; -- ms: when the invitation was made, the same in every repetition
  `,
  `
  CREATE TABLE files (
    conversation TEXT NOT NULL,
    id TEXT NOT NULL,                -- the commit that announces the file
    file_id TEXT NOT NULL,           -- what peers ask for
    author TEXT NOT NULL,
    device TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,           -- bytes
    sha3 TEXT NOT NULL,
    state TEXT NOT NULL,
    announced INTEGER NOT NULL,      -- ms, by the author's clock but never later than it came here
    tried INTEGER NOT NULL,          -- ms, 0 = never asked for
    PRIMARY KEY (conversation, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX files_id ON files (id);
  CREATE INDEX files_state ON files (conversation, state, tried);
  CREATE INDEX files_sha3 ON files (sha3, state);
  CREATE INDEX files_age ON files (state, announced);

  -- how far the commits of a conversation were searched for files
  CREATE TABLE file_scans (conversation TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE profiles (
    account TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    vcard BLOB NOT NULL,
    modified INTEGER NOT NULL,       -- s, as the sender says; 0 = it does not
    received INTEGER NOT NULL        -- ms
  ) STRICT;
  CREATE INDEX profiles_received ON profiles (received);

  -- which version of the own profile each device has
  CREATE TABLE profiles_sent (
    device TEXT PRIMARY KEY,
    sha3 TEXT NOT NULL,
    sent INTEGER NOT NULL            -- ms
  ) STRICT;
  CREATE INDEX profiles_sent_age ON profiles_sent (sent);
  `,
  `
  -- see audit.ts: only ever lengthened
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,             -- ms
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_action ON audit (action, seq);
  CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
  CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
  `,
  `
  -- links by which people have themselves invited into groups; of the secret only the hash is kept
  CREATE TABLE join_links (
    conversation TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,        -- ms
    expires INTEGER NOT NULL,        -- ms
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- accounts that an admin approved of in groups where somebody else invited them
  CREATE TABLE approvals (
    conversation TEXT NOT NULL,
    account TEXT NOT NULL,
    seq INTEGER NOT NULL,            -- of the latest commit that was known then
    PRIMARY KEY (conversation, account)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- what name servers answered, see names.ts
  CREATE TABLE name_answers (
    server TEXT NOT NULL,            -- URL
    question TEXT NOT NULL,          -- a name in lower case, or a Jami ID
    answer TEXT NOT NULL,            -- '' = there is none
    expires INTEGER NOT NULL,        -- ms
    PRIMARY KEY (server, question)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX name_answers_age ON name_answers (expires);

  -- the names that the own name server gave out
  CREATE TABLE registered_names (
    name TEXT PRIMARY KEY,           -- in lower case
    account TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,             -- Ethereum address
    public_key TEXT NOT NULL,        -- PEM
    signature TEXT NOT NULL,         -- base64, of the name
    registered INTEGER NOT NULL      -- ms
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- histories of peers that break a rule; what they consist of lies in a file named after the head
  CREATE TABLE refused_histories (
    conversation TEXT NOT NULL,
    head TEXT NOT NULL,
    violator TEXT NOT NULL,          -- the first commit that breaks a rule
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    type TEXT NOT NULL,              -- of that commit; '' = unreadable
    author TEXT,                     -- account; NULL = unknown
    overridable INTEGER NOT NULL,
    account TEXT NOT NULL,           -- who offered it
    device TEXT NOT NULL,
    received INTEGER NOT NULL,       -- ms
    bytes INTEGER NOT NULL,          -- of the file; 0 = there is none
    PRIMARY KEY (conversation, head)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX refused_histories_age ON refused_histories (received);

  -- commits that the operator accepts although they break a rule
  CREATE TABLE overrides (
    conversation TEXT NOT NULL,
    violator TEXT NOT NULL,
    violated TEXT NOT NULL,          -- the rule that it breaks
    reason TEXT NOT NULL,            -- the operator's
    at INTEGER NOT NULL,             -- ms
    PRIMARY KEY (conversation, violator)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- who may use the console, and what opens it for a time; of secrets only hashes are kept
  CREATE TABLE admins (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    password TEXT,                   -- PHC string, NULL = passkeys only
    created INTEGER NOT NULL         -- ms
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE passkeys (
    id TEXT PRIMARY KEY,
    admin TEXT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter INTEGER NOT NULL,
    transports TEXT NOT NULL,
    created INTEGER NOT NULL,        -- ms
    used INTEGER                     -- ms
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX passkeys_admin ON passkeys (admin);

  CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,
    admin TEXT NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,        -- ms
    used INTEGER NOT NULL            -- ms
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sessions_admin ON sessions (admin);

  CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created INTEGER NOT NULL,        -- ms
    expires INTEGER,                 -- ms, NULL = never
    used INTEGER                     -- ms
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE admin_invitations (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created INTEGER NOT NULL,        -- ms
    expires INTEGER NOT NULL         -- ms
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- see leases.ts
  CREATE TABLE leases (
    conversation TEXT NOT NULL,
    device TEXT NOT NULL,
    lease BLOB NOT NULL,             -- msgpack, as on the wire
    PRIMARY KEY (conversation, device)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Texts are cut into words by words.ts from now on; those here already when their conversation is opened.
  DROP TABLE search;
  CREATE VIRTUAL TABLE search USING fts5(
    text, content = '', contentless_delete = 1, tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co'"
  );
  CREATE TABLE search_due (conversation TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
  INSERT INTO search_due SELECT DISTINCT conversation FROM commits;
  `,
  `
  -- see file_rules.ts
  CREATE TABLE file_rules (
    conversation TEXT PRIMARY KEY,
    quota INTEGER,                   -- bytes; NULL = as the node's settings say
    retention_days INTEGER           -- 0 = never; NULL = as the node's settings say
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- what the console shows of admins and their browsers
  ALTER TABLE admins ADD COLUMN seen INTEGER;                      -- ms; NULL = not since this was noted
  ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
  ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';  -- what the browser calls itself
  CREATE INDEX audit_at ON audit (at);
  `,
  `
  -- see own_devices.ts
  CREATE TABLE own_devices (
    device TEXT PRIMARY KEY,
    name TEXT NOT NULL,              -- '' = it has not said
    seen INTEGER NOT NULL            -- ms, 0 = never
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE clone_sources (
    conversation TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (conversation, account)
  ) STRICT, WITHOUT ROWID;

  -- see synced.ts
  CREATE TABLE conversation_preferences (
    conversation TEXT PRIMARY KEY,
    preferences TEXT NOT NULL        -- JSON list of pairs
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE message_statuses (
    conversation TEXT NOT NULL,
    account TEXT NOT NULL,
    fetched TEXT NOT NULL,           -- commit, '' = unknown
    fetched_at TEXT NOT NULL,        -- s, '' = unknown
    read TEXT NOT NULL,
    read_at TEXT NOT NULL,
    PRIMARY KEY (conversation, account)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- see bans.ts, protections.ts and reports.ts
  CREATE TABLE node_bans (
    target TEXT PRIMARY KEY,         -- account or device
    reason TEXT NOT NULL,
    made_by TEXT NOT NULL,
    at INTEGER NOT NULL,             -- ms
    expires INTEGER                  -- ms, NULL = never
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX node_bans_expires ON node_bans (expires) WHERE expires IS NOT NULL;

  CREATE TABLE conversation_bans (
    conversation TEXT NOT NULL,
    target TEXT NOT NULL,            -- account or device
    held INTEGER NOT NULL,
    reason TEXT NOT NULL,
    made_by TEXT NOT NULL,
    at INTEGER NOT NULL,             -- ms
    expires INTEGER,                 -- ms, NULL = never
    PRIMARY KEY (conversation, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX conversation_bans_expires ON conversation_bans (expires) WHERE expires IS NOT NULL;

  CREATE TABLE ban_lists (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT,                        -- NULL = put in by hand
    allow_private INTEGER NOT NULL,
    interval INTEGER NOT NULL,       -- s
    etag TEXT NOT NULL,
    fetched INTEGER NOT NULL,        -- ms, 0 = never
    next INTEGER NOT NULL,           -- ms, 0 = not any more
    failures INTEGER NOT NULL,
    error TEXT NOT NULL,
    added INTEGER NOT NULL,          -- ms
    added_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE ban_list_entries (
    list TEXT NOT NULL REFERENCES ban_lists (id) ON DELETE CASCADE,
    target TEXT NOT NULL,            -- account or device
    reason TEXT NOT NULL,
    expires INTEGER,                 -- ms, NULL = never
    PRIMARY KEY (list, target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX ban_list_entries_target ON ban_list_entries (target);

  CREATE TABLE protections (
    name TEXT PRIMARY KEY,
    mode TEXT NOT NULL,
    consequence TEXT NOT NULL,
    ban_hours INTEGER NOT NULL,      -- 0 = for good
    settings TEXT NOT NULL,          -- JSON
    conversations TEXT NOT NULL      -- ids, one blank between; '' = all
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE protection_scans (
    conversation TEXT PRIMARY KEY,
    seq INTEGER NOT NULL             -- of the last commit that was judged
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE protection_actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,             -- ms
    protection TEXT NOT NULL,
    conversation TEXT NOT NULL,
    account TEXT NOT NULL,
    device TEXT NOT NULL,
    oid TEXT NOT NULL,               -- of the commit, '' = none
    consequence TEXT NOT NULL,
    dry INTEGER NOT NULL,
    reason TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;
  CREATE INDEX protection_actions_at ON protection_actions (at);

  CREATE TABLE held_files (
    conversation TEXT NOT NULL,
    file TEXT NOT NULL,              -- the commit that announces it
    account TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,             -- ms
    PRIMARY KEY (conversation, file)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,             -- ms
    kind TEXT NOT NULL,
    account TEXT NOT NULL,
    conversation TEXT NOT NULL,
    oid TEXT NOT NULL,               -- of the commit, '' = none
    text TEXT NOT NULL,
    resolved INTEGER,                -- ms, NULL = open
    resolved_by TEXT,
    note TEXT
  ) STRICT;
  `,
  `
  -- how the node did, a row a minute, for a day: see samples.ts
  CREATE TABLE samples (
    at INTEGER PRIMARY KEY,          -- s
    connections INTEGER NOT NULL,
    waiting INTEGER NOT NULL,        -- messages
    loop_delay INTEGER NOT NULL,     -- ms
    memory INTEGER NOT NULL,         -- bytes
    bytes_in INTEGER NOT NULL,       -- a second
    bytes_out INTEGER NOT NULL
  ) STRICT;
  `,
];

/** The number of the step the database stands at; 0 for an empty file. */
export function schemaVersion(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.user_version);
}

/**
 * Brings the database to the last of `steps`, each step in a transaction of its own: a crash leaves a whole step done
 * or not begun.
 * @throws {StoreError} "newer schema" when a newer Kituo wrote the file, "not a store" when it is another program's
 */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): void {
  const version = schemaVersion(db);
  refuseForeign(db, version);
  if (version > steps.length) {
    throw new StoreError(
      "newer schema",
      `the database has schema ${version}, this Kituo knows up to ${steps.length}: start the newer Kituo that wrote it`,
    );
  }
  for (let number = version + 1; number <= steps.length; number++) {
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec(steps[number - 1]);
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${number}; COMMIT`);
    } catch (error) {
      if (db.isTransaction) db.exec("ROLLBACK");
      throw new StoreError("not a store", `migration ${number} failed: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Another program's SQLite file has tables but not our mark. */
function refuseForeign(db: DatabaseSync, version: number): void {
  const mark = Number(db.prepare("PRAGMA application_id").get()?.application_id);
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n);
  if (mark === APPLICATION_ID || (mark === 0 && version === 0 && tables === 0)) return;
  throw new StoreError("not a store", "the database belongs to another program");
}
