/** The console's accounts: who may come in, how they show who they are, and who lets them in. */

import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import { type Clock, systemClock } from "../base/clock.ts";
import { TokenBucket } from "../base/limits.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { AdminInvitationRow, ApiTokenRow, SessionRow } from "../store/access.ts";
import type { AdminRow, PasskeyRow, Role } from "../store/admins.ts";
import type { AuditCheck, AuditEvent, AuditFilter, AuditRow } from "../store/audit.ts";
import type { Store } from "../store/store.ts";
import { Attempts } from "./attempts.ts";
import {
  MAX_ADMIN_INVITATIONS,
  MAX_ADMINS,
  MAX_AGENT,
  MAX_API_TOKENS,
  MAX_PASSKEYS,
  MAX_SESSIONS,
  REFUSALS_BURST,
  REFUSALS_RATE,
  SESSION_AGE,
  SESSION_IDLE,
  SETUP_AGE,
  USED_STEP,
} from "./constants.ts";
import { checkAudit } from "./check_audit.ts";
import { AccessError } from "./errors.ts";
import { keptAdminName, keptName, nameKey } from "./name.ts";
import { PasskeyDialogues, type Site } from "./passkeys.ts";
import { checkPassword, FULL_COST, hashPassword, type PasswordCost, verifyPassword } from "./password.ts";
import { hashOfGiven, newId, newSecret, secretHash } from "./secret.ts";

/** Someone (or a program) who showed who they are. */
export interface Actor {
  /** as the audit trail names them */
  name: string;
  role: Role;
  /** id of the admin; undefined = a token */
  admin?: string;
  /** hash of the session; undefined = a token */
  session?: string;
  /** hash of the API token; undefined = a session, or the admin token */
  token?: string;
}

/** How a new admin will sign in: by a password, or by a passkey that was just made. */
export interface Newcomer {
  name: string;
  password?: string;
  passkey?: RegistrationResponseJSON;
}

/** A session that was begun. */
export interface SignedIn {
  actor: Actor;
  /** for the cookie */
  secret: string;
}

/** An admin as others see it. */
export interface AdminView extends Pick<AdminRow, "id" | "name" | "role" | "created"> {
  password: boolean;
  passkeys: number;
  /** browsers that are signed in */
  sessions: number;
  /** when one of them was used last, ms; undefined = not known */
  seen?: number;
}

/** What is needed around it. */
export interface AdminsOptions {
  store: Store;
  clock?: Clock;
  random?: Random;
  /** of new passwords */
  cost?: PasswordCost;
  /** the node's name: no part of a password */
  nodeName?: () => string;
}

/** Where the hash of the set-up link is kept. */
const SETUP = "console.setup";

const WRONG = "The name or the password is wrong.";
const BAD_LINK = "This link is not good (any more): ask for a new one.";

/** The accounts of one node. */
export class Admins {
  readonly passkeys: PasskeyDialogues;
  readonly attempts: Attempts;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #cost: PasswordCost;
  readonly #nodeName: () => string;
  readonly #refusals: TokenBucket;
  #dummy: Promise<string> | null = null;
  #check: Promise<AuditCheck> | null = null;

  constructor(options: AdminsOptions) {
    this.#store = options.store;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#cost = options.cost ?? FULL_COST;
    this.#nodeName = options.nodeName ?? (() => "");
    this.passkeys = new PasskeyDialogues(options.store, this.#clock);
    this.attempts = new Attempts(this.#clock);
    this.#refusals = new TokenBucket(this.#clock, REFUSALS_RATE, REFUSALS_BURST);
  }

  // --- the first admin -------------------------------------------------------------------------------------------

  /** Is there nobody yet? */
  get setupNeeded(): boolean {
    return this.#store.admins.all().length === 0;
  }

  /** The secret of a new set-up link, good for an hour; the one before is not any more. null = there is an admin already. */
  newSetupSecret(): string | null {
    if (!this.setupNeeded) return null;
    const secret = newSecret(this.#random);
    const ends = this.#clock.now() + SETUP_AGE;
    this.#store.settings.set(SETUP, JSON.stringify([secretHash(secret), ends]));
    return secret;
  }

  /** @throws {AccessError} "forbidden" when the link is not good, "conflict" when there is an admin already */
  checkSetup(secret: string): void {
    if (!this.setupNeeded) throw new AccessError("conflict", "This node is set up already: sign in.");
    const [hash, ends] = JSON.parse(this.#store.settings.get(SETUP) ?? "[null, 0]");
    if (hash === null || hash !== hashOfGiven(secret) || ends <= this.#clock.now()) {
      throw new AccessError(
        "forbidden",
        "This set-up link is not good (any more): start the node again for a new one.",
      );
    }
  }

  /** What the browser needs to make the passkey of the first admin. @throws {AccessError} */
  beginSetup(secret: string, site: Site, name: string) {
    this.checkSetup(secret);
    return this.passkeys.beginRegistration(site, newId(this.#random, 16), keptAdminName(name));
  }

  /** Makes the first admin, an owner, and signs them in. @throws {AccessError} */
  async setUp(secret: string, newcomer: Newcomer, site: Site): Promise<SignedIn> {
    this.checkSetup(secret);
    const prepared = await this.#prepare(newcomer, site);
    return this.#store.transaction(() => {
      this.checkSetup(secret); // nobody was faster
      const admin = this.#admit(prepared, "owner");
      this.#store.settings.delete(SETUP);
      return this.#begin(admin);
    });
  }

  // --- signing in ------------------------------------------------------------------------------------------------

  /**
   * Signs in with a password. It takes the same time whether there is such an admin or not.
   * @throws {AccessError} "unauthorised", "too many"
   */
  async signIn(name: string, password: string, address: string): Promise<SignedIn> {
    this.attempts.forAccount(nameKey(name));
    const admin = this.#store.admins.byNameKey(nameKey(name));
    const right = await verifyPassword(admin?.password ?? await this.#anyHash(), password);
    // looked up again: it may have changed while the password was hashed
    const now = admin && this.#store.admins.get(admin.id);
    if (right && now?.password !== undefined && now.password === admin?.password) return this.#begin(now);
    this.#refused(admin?.name ?? "", address, "password");
    throw new AccessError("unauthorised", WRONG);
  }

  /** Signs in with a passkey. @throws {AccessError} "unauthorised" */
  async signInWithPasskey(response: AuthenticationResponseJSON, site: Site, address: string): Promise<SignedIn> {
    try {
      const passkey = await this.passkeys.finishSignIn(site, response);
      return this.#begin(this.#known(passkey.admin));
    } catch (error) {
      if (error instanceof AccessError) this.#refused("", address, "passkey");
      throw error;
    }
  }

  /** Whose session is this? @param secret from the cookie */
  bySession(secret: string): Actor | null {
    const hash = hashOfGiven(secret);
    return hash === null ? null : this.#bySessionHash(hash);
  }

  /** What somebody who was let in before may do now; null = nothing any more: signed out, removed, expired. */
  present(actor: Actor | null): Pick<Actor, "role"> | null {
    if (actor?.session !== undefined) return this.#bySessionHash(actor.session);
    if (actor?.token === undefined) return actor;
    const token = this.#store.apiTokens.byHash(actor.token);
    return token && !this.#isOver(token) ? token : null;
  }

  /** Whose API token is this? */
  byToken(secret: string): Actor | null {
    const hash = hashOfGiven(secret);
    const token = hash === null ? undefined : this.#store.apiTokens.byHash(hash);
    const now = this.#clock.now();
    if (!token || this.#isOver(token)) return null;
    if (now - (token.used ?? 0) >= USED_STEP) this.#store.apiTokens.used(token.id, now);
    return { name: `token:${token.name}`, role: token.role, token: token.hash };
  }

  /** Ends a session. @param secret from the cookie */
  signOut(secret: string): void {
    const hash = hashOfGiven(secret);
    if (hash !== null) this.#store.sessions.delete(hash);
  }

  /** Ends all sessions of an admin. @throws {AccessError} "not found" */
  signOutEverywhere(admin: string): void {
    this.#known(admin);
    this.#store.sessions.deleteOf(admin);
  }

  /** Notes from where, and in which browser, a session was begun. */
  describeSession(hash: string, address: string, agent: string): void {
    this.#store.sessions.describe(hash, address, agent.slice(0, MAX_AGENT));
  }

  /** The browsers in which an admin is signed in, the one used last first. */
  sessionsOf(admin: string): SessionRow[] {
    return this.#store.sessions.of(admin).filter((session) => endOf(session) > this.#clock.now());
  }

  /** Ends one session of an admin. @param id the beginning of its hash @throws {AccessError} "not found" */
  endSession(admin: string, id: string): void {
    const session = this.sessionsOf(admin).find(({ hash }) => hash.startsWith(id));
    if (!session) throw new AccessError("not found", "There is no such session.");
    this.#store.sessions.delete(session.hash);
  }

  // --- one's own account -----------------------------------------------------------------------------------------

  /**
   * Changes (or first sets) a password. All sessions end and a new one begins.
   * @param present undefined when there is none yet
   * @throws {AccessError} "forbidden" when the present one is wrong, "unfit", "too many"
   */
  async changePassword(id: string, present: string | undefined, password: string): Promise<SignedIn> {
    const admin = this.#known(id);
    if (admin.password !== undefined) {
      this.attempts.forAccount(admin.nameKey);
      if (!await verifyPassword(admin.password, present ?? "")) {
        throw new AccessError("forbidden", "The present password is wrong.");
      }
    }
    checkPassword(password, [admin.name, this.#nodeName()]);
    const hash = await hashPassword(password, this.#random, this.#cost);
    return this.#store.transaction(() => {
      this.#store.admins.setPassword(id, hash);
      this.#store.sessions.deleteOf(id);
      return this.#begin(this.#known(id));
    });
  }

  /** Changes a name. @throws {AccessError} "unfit"; "conflict" when somebody else has it */
  rename(id: string, name: string): AdminView {
    const kept = keptAdminName(name), key = nameKey(kept);
    const other = this.#store.admins.byNameKey(key);
    if (other && other.id !== this.#known(id).id) throw nameTaken();
    this.#store.admins.rename(id, kept, key);
    return this.get(id);
  }

  passkeysOf(admin: string): PasskeyRow[] {
    return this.#store.passkeys.of(admin);
  }

  /** What the browser needs to make one more passkey. @throws {AccessError} */
  beginPasskey(admin: string, site: Site) {
    return this.passkeys.beginRegistration(site, admin, this.#known(admin).name);
  }

  /** Keeps one more passkey. @throws {AccessError} */
  async addPasskey(admin: string, site: Site, name: string, response: RegistrationResponseJSON): Promise<PasskeyRow> {
    const label = keptName(name);
    const made = await this.passkeys.finishRegistration(site, response);
    if (made.admin !== admin) throw new AccessError("unfit", "This passkey was begun by somebody else.");
    this.#known(admin);
    if (this.passkeysOf(admin).length >= MAX_PASSKEYS) throw full("passkeys", MAX_PASSKEYS);
    const passkey = { ...made, name: label };
    this.#store.passkeys.add(passkey);
    return passkey;
  }

  /** @throws {AccessError} "not found", "unfit" */
  renamePasskey(admin: string, id: string, name: string): PasskeyRow {
    this.#store.passkeys.rename(id, admin, keptName(name));
    const passkey = this.passkeysOf(admin).find((one) => one.id === id);
    if (!passkey) throw new AccessError("not found", "There is no such passkey.");
    return passkey;
  }

  /** @throws {AccessError} "not found"; "conflict" when nothing else is left to sign in with */
  removePasskey(admin: string, id: string): void {
    const keys = this.passkeysOf(admin);
    if (!keys.some((key) => key.id === id)) throw new AccessError("not found", "There is no such passkey.");
    if (keys.length === 1 && this.#known(admin).password === undefined) {
      throw new AccessError("conflict", "Without this passkey you could not sign in any more: set a password first.");
    }
    this.#store.passkeys.delete(id, admin);
  }

  // --- other admins ----------------------------------------------------------------------------------------------

  list(): AdminView[] {
    return this.#store.admins.all().map((admin) => this.#view(admin));
  }

  /** @throws {AccessError} "not found" */
  get(id: string): AdminView {
    return this.#view(this.#known(id));
  }

  /** @throws {AccessError} "not found"; "conflict" for the last owner */
  setRole(id: string, role: Role): AdminView {
    const admin = this.#known(id);
    if (role !== "owner") this.#sparesOwner(admin);
    this.#store.admins.setRole(id, role);
    return this.get(id);
  }

  /** @throws {AccessError} "not found"; "conflict" for the last owner */
  remove(id: string): void {
    this.#sparesOwner(this.#known(id));
    this.#store.admins.delete(id);
  }

  /** Open invitations. */
  invitations(): AdminInvitationRow[] {
    this.#store.adminInvitations.expire(this.#clock.now());
    return this.#store.adminInvitations.all();
  }

  /** A new invitation. @param age ms that it is good for @returns with the secret for the link, told this once */
  invite(role: Role, age: number, madeBy: string): AdminInvitationRow & { secret: string } {
    if (this.invitations().length >= MAX_ADMIN_INVITATIONS) throw full("open invitations", MAX_ADMIN_INVITATIONS);
    const secret = newSecret(this.#random), created = this.#clock.now();
    const id = newId(this.#random);
    const invitation = { id, hash: secretHash(secret), role, madeBy, created, expires: created + age };
    this.#store.adminInvitations.add(invitation);
    return { ...invitation, secret };
  }

  /** @throws {AccessError} "not found" */
  cancelInvitation(id: string): void {
    if (!this.#store.adminInvitations.delete(id)) throw new AccessError("not found", "There is no such invitation.");
  }

  /** @throws {AccessError} "forbidden" when the link is not good */
  checkInvitation(secret: string): AdminInvitationRow {
    const hash = hashOfGiven(secret);
    const invitation = hash === null ? undefined : this.#store.adminInvitations.byHash(hash);
    if (!invitation || invitation.expires <= this.#clock.now()) throw new AccessError("forbidden", BAD_LINK);
    return invitation;
  }

  /** What the browser needs to make the passkey of somebody who was invited. @throws {AccessError} */
  beginAccept(secret: string, site: Site, name: string) {
    this.checkInvitation(secret);
    return this.passkeys.beginRegistration(site, newId(this.#random, 16), keptAdminName(name));
  }

  /** Makes somebody who was invited an admin, and signs them in. The link is not good any more. @throws {AccessError} */
  async accept(secret: string, newcomer: Newcomer, site: Site): Promise<SignedIn> {
    this.checkInvitation(secret);
    const prepared = await this.#prepare(newcomer, site);
    return this.#store.transaction(() => {
      const { id, role } = this.checkInvitation(secret);
      this.#store.adminInvitations.delete(id);
      return this.#begin(this.#admit(prepared, role));
    });
  }

  // --- programs --------------------------------------------------------------------------------------------------

  tokens(): ApiTokenRow[] {
    return this.#store.apiTokens.all();
  }

  /** A new API token. @param age ms that it is good for; null = until it is removed @returns with the secret, told this once */
  addToken(name: string, role: Role, age: number | null, madeBy: string): ApiTokenRow & { secret: string } {
    if (this.tokens().length >= MAX_API_TOKENS) throw full("API tokens", MAX_API_TOKENS);
    const secret = newSecret(this.#random), created = this.#clock.now();
    const expires = age === null ? undefined : created + age;
    const token = {
      id: newId(this.#random),
      hash: secretHash(secret),
      name: keptName(name),
      role,
      madeBy,
      created,
      expires,
    };
    this.#store.apiTokens.add(token);
    return { ...token, secret };
  }

  /** @throws {AccessError} "not found" */
  removeToken(id: string): void {
    if (!this.#store.apiTokens.delete(id)) throw new AccessError("not found", "There is no such token.");
  }

  // --- the audit trail -------------------------------------------------------------------------------------------

  /** Notes what was done. */
  note(event: AuditEvent): void {
    this.#store.audit.append(event, this.#clock.now());
  }

  /** Newest first. */
  audit(filter: AuditFilter, limit: number): AuditRow[] {
    return this.#store.audit.list(filter, limit);
  }

  /** Goes through the whole trail, a part at a time; who asks meanwhile gets the same answer. */
  checkAudit(): Promise<AuditCheck> {
    return this.#check ??= checkAudit(this.#store.audit).finally(() => this.#check = null);
  }

  // ---------------------------------------------------------------------------------------------------------------

  /** Everything about a newcomer that takes time: it is done before the transaction. */
  async #prepare({ name, password, passkey }: Newcomer, site: Site) {
    const kept = keptAdminName(name);
    if (this.#store.admins.byNameKey(nameKey(kept))) throw nameTaken();
    if ((password === undefined) === (passkey === undefined)) {
      throw new AccessError("unfit", "Either a password or a passkey is needed.");
    }
    if (password !== undefined) {
      checkPassword(password, [kept, this.#nodeName()]);
      return { name: kept, id: newId(this.#random, 16), hash: await hashPassword(password, this.#random, this.#cost) };
    }
    const made = passkey && await this.passkeys.finishRegistration(site, passkey);
    // an admin who adds a passkey cannot turn it into another account
    if (!made || this.#store.admins.get(made.admin)) throw new AccessError("unfit", "This passkey is somebody's.");
    return { name: kept, id: made.admin, passkey: { ...made, name: kept } };
  }

  #admit({ id, name, hash, passkey }: Prepared, role: Role): AdminRow {
    if (this.#store.admins.byNameKey(nameKey(name))) throw nameTaken();
    if (this.#store.admins.all().length >= MAX_ADMINS) throw full("admins", MAX_ADMINS);
    const admin: AdminRow = { id, name, nameKey: nameKey(name), role, password: hash, created: this.#clock.now() };
    this.#store.admins.add(admin);
    if (passkey) this.#store.passkeys.add(passkey);
    return admin;
  }

  #begin({ id, name, role }: AdminRow): SignedIn {
    const now = this.#clock.now();
    const secret = newSecret(this.#random);
    const session = secretHash(secret);
    this.#store.sessions.expire(now - SESSION_AGE, now - SESSION_IDLE);
    this.#store.sessions.add({ hash: session, admin: id, created: now, used: now }, MAX_SESSIONS);
    this.#store.admins.seen(id, now);
    return { secret, actor: { name, role, admin: id, session } };
  }

  #bySessionHash(hash: string): Actor | null {
    const session = this.#store.sessions.get(hash), now = this.#clock.now();
    const admin = session && endOf(session) > now ? this.#store.admins.get(session.admin) : undefined;
    if (!session || !admin) return null;
    if (now - session.used >= USED_STEP) {
      this.#store.sessions.used(hash, now);
      this.#store.admins.seen(admin.id, now);
    }
    return { name: admin.name, role: admin.role, admin: admin.id, session: hash };
  }

  #isOver({ expires }: ApiTokenRow): boolean {
    return expires !== undefined && expires <= this.#clock.now();
  }

  #known(id: string): AdminRow {
    const admin = this.#store.admins.get(id);
    if (!admin) throw new AccessError("not found", "There is no such admin.");
    return admin;
  }

  #view({ id, name, role, created, password, seen }: AdminRow): AdminView {
    return {
      id,
      name,
      role,
      created,
      password: password !== undefined,
      passkeys: this.passkeysOf(id).length,
      sessions: this.sessionsOf(id).length,
      seen,
    };
  }

  #sparesOwner({ role }: AdminRow): void {
    if (role === "owner" && this.#store.admins.owners() === 1) {
      throw new AccessError("conflict", "This is the last owner: make somebody else an owner first.");
    }
  }

  /** A hash that no password belongs to. */
  #anyHash(): Promise<string> {
    return this.#dummy ??= hashPassword(newSecret(this.#random), this.#random, this.#cost);
  }

  #refused(target: string, address: string, detail: string): void {
    if (!this.#refusals.take()) return;
    this.note({ actor: "", address, action: "session.refuse", target, detail });
  }
}

/** A newcomer who needs nothing more but the transaction. */
interface Prepared {
  id: string;
  name: string;
  hash?: string;
  passkey?: PasskeyRow;
}

/** When a session ends, ms. */
export function endOf({ created, used }: Pick<SessionRow, "created" | "used">): number {
  return Math.min(created + SESSION_AGE, used + SESSION_IDLE);
}

function nameTaken(): AccessError {
  return new AccessError("conflict", "There is an admin of this name already.");
}

function full(what: string, most: number): AccessError {
  return new AccessError("conflict", `There are ${most} ${what} already: remove one first.`);
}
