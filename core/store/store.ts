/** The node's database: SQLite in the data folder. One connection writes; every call is short and synchronous. */

import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/errors.ts";
import { AdminInvitationTable, ApiTokenTable, SessionTable } from "./access.ts";
import { AdminTable, PasskeyTable } from "./admins.ts";
import { Approvals } from "./approvals.ts";
import { Audit } from "./audit.ts";
import { Certificates, RevocationLists } from "./certificates.ts";
import { Commits } from "./commits.ts";
import { BanLists, ConversationBans, NodeBans } from "./bans.ts";
import { BUSY_TIMEOUT } from "./constants.ts";
import { Contacts } from "./contacts.ts";
import { Conversations } from "./conversations.ts";
import { StoreError } from "./errors.ts";
import { Files } from "./files.ts";
import { Invites } from "./invites.ts";
import { FileRulesTable } from "./file_rules.ts";
import { JoinLinks } from "./join_links.ts";
import { Leases } from "./leases.ts";
import { Ledger } from "./ledger.ts";
import { migrate } from "./migrations.ts";
import { NameAnswers, RegisteredNames } from "./names.ts";
import { CloneSources, OwnDevices } from "./own_devices.ts";
import { Profiles } from "./profiles.ts";
import { HeldFiles, ProtectionActions, Protections } from "./protections.ts";
import { Overrides, RefusedHistories } from "./refused.ts";
import { Reports } from "./reports.ts";
import { ConversationRequests, TrustRequests } from "./requests.ts";
import { Samples } from "./samples.ts";
import { Search } from "./search.ts";
import { Settings } from "./settings.ts";
import { MessageStatuses, Preferences } from "./synced.ts";
import { Treated } from "./treated.ts";

/** An open database: one member for each group of tables. */
export class Store {
  readonly settings: Settings;
  readonly contacts: Contacts;
  readonly trustRequests: TrustRequests;
  readonly conversationRequests: ConversationRequests;
  readonly conversations: Conversations;
  readonly commits: Commits;
  readonly search: Search;
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly certificates: Certificates;
  readonly revocations: RevocationLists;
  readonly invites: Invites;
  readonly fileRules: FileRulesTable;
  readonly joinLinks: JoinLinks;
  readonly approvals: Approvals;
  readonly treated: Treated;
  readonly files: Files;
  readonly profiles: Profiles;
  readonly audit: Audit;
  readonly nameAnswers: NameAnswers;
  readonly registeredNames: RegisteredNames;
  readonly refused: RefusedHistories;
  readonly overrides: Overrides;
  readonly admins: AdminTable;
  readonly passkeys: PasskeyTable;
  readonly sessions: SessionTable;
  readonly apiTokens: ApiTokenTable;
  readonly adminInvitations: AdminInvitationTable;
  readonly ownDevices: OwnDevices;
  readonly cloneSources: CloneSources;
  readonly preferences: Preferences;
  readonly messageStatuses: MessageStatuses;
  readonly nodeBans: NodeBans;
  readonly conversationBans: ConversationBans;
  readonly banLists: BanLists;
  readonly protections: Protections;
  readonly protectionActions: ProtectionActions;
  readonly heldFiles: HeldFiles;
  readonly reports: Reports;
  readonly samples: Samples;
  readonly #db: DatabaseSync;
  #depth = 0;

  /** @param db a database at today's schema: use {@link openStore} */
  constructor(db: DatabaseSync) {
    const transaction = <T>(work: () => T) => this.transaction(work);
    this.#db = db;
    this.settings = new Settings(db);
    this.contacts = new Contacts(db);
    this.trustRequests = new TrustRequests(db);
    this.conversationRequests = new ConversationRequests(db);
    this.conversations = new Conversations(db);
    this.search = new Search(db);
    this.commits = new Commits(db, transaction, this.search);
    this.ledger = new Ledger(db);
    this.leases = new Leases(db);
    this.certificates = new Certificates(db);
    this.revocations = new RevocationLists(db);
    this.invites = new Invites(db);
    this.fileRules = new FileRulesTable(db);
    this.joinLinks = new JoinLinks(db);
    this.approvals = new Approvals(db);
    this.treated = new Treated(db);
    this.files = new Files(db);
    this.profiles = new Profiles(db);
    this.audit = new Audit(db);
    this.nameAnswers = new NameAnswers(db);
    this.registeredNames = new RegisteredNames(db);
    this.refused = new RefusedHistories(db);
    this.overrides = new Overrides(db);
    this.admins = new AdminTable(db);
    this.passkeys = new PasskeyTable(db);
    this.sessions = new SessionTable(db);
    this.apiTokens = new ApiTokenTable(db);
    this.adminInvitations = new AdminInvitationTable(db);
    this.ownDevices = new OwnDevices(db);
    this.cloneSources = new CloneSources(db);
    this.preferences = new Preferences(db);
    this.messageStatuses = new MessageStatuses(db);
    this.nodeBans = new NodeBans(db);
    this.conversationBans = new ConversationBans(db);
    this.banLists = new BanLists(db, transaction);
    this.protections = new Protections(db);
    this.protectionActions = new ProtectionActions(db);
    this.heldFiles = new HeldFiles(db);
    this.reports = new Reports(db);
    this.samples = new Samples(db);
  }

  /**
   * Runs `work` so that all it writes is kept, durably, or nothing. A call within another one undoes only its own part
   * when it throws. `work` must be synchronous: others would write into the transaction while it waits.
   * @throws what `work` throws, after undoing what it wrote; {StoreError} "misuse" when it returns a promise
   */
  transaction<T>(work: () => T): T {
    const outermost = this.#depth === 0;
    const name = `level${this.#depth}`;
    this.#db.exec(outermost ? "BEGIN IMMEDIATE" : `SAVEPOINT ${name}`);
    this.#depth++;
    try {
      const result = work();
      if (result instanceof Promise) throw new StoreError("misuse", "a transaction must be synchronous");
      this.#db.exec(outermost ? "COMMIT" : `RELEASE ${name}`);
      return result;
    } catch (error) {
      // SQLite has already rolled back by itself when, for example, the disk is full
      if (this.#db.isTransaction) this.#db.exec(outermost ? "ROLLBACK" : `ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** Looks through the whole file, which takes its time. @throws {StoreError} "not a store" when it is damaged */
  check(): void {
    const verdict = this.#db.prepare("PRAGMA integrity_check(1)").get()?.integrity_check;
    if (verdict !== "ok") throw new StoreError("not a store", String(verdict).replace(/\s+/g, " "));
  }

  /** Closes the database. */
  close(): void {
    this.#db.close();
  }
}

/**
 * Opens the database at `path`, made when it is missing (readable by its owner only) and brought to today's schema.
 * @throws {StoreError} "newer schema" or "not a store"
 */
export function openStore(path: string): Store {
  makePrivate(path);
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: true, timeout: BUSY_TIMEOUT });
  try {
    // FULL: a commit is acknowledged to peers only once it is on disk (swarm-sync.md 8), also through a power cut
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    // nothing of what people say goes into temporary files elsewhere, and there may be no place for them (a read-only root)
    db.exec("PRAGMA temp_store = MEMORY");
    migrate(db);
    return new Store(db);
  } catch (error) {
    db.close();
    if (error instanceof StoreError) throw new StoreError(error.fault, `${path}: ${error.message}`, { cause: error });
    throw new StoreError("not a store", `${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Before SQLite makes it with the mode of the umask; its WAL files take over the mode of the database. */
function makePrivate(path: string): void {
  Deno.openSync(path, { create: true, append: true, mode: 0o600 }).close();
  Deno.chmodSync(path, 0o600);
}
