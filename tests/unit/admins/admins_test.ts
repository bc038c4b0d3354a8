import assert from "node:assert/strict";
import { Admins } from "../../../core/admins/admins.ts";
import { Authenticator } from "../../support/authenticator.ts";
import { CHEAP, fault, HOUR, PASSWORD, setUp, SITE, withOwner } from "./support.ts";

const JUMA = { name: "Juma", password: PASSWORD };

Deno.test("the set-up link is good once, for an hour, until the next start, and only while there is nobody", async () => {
  const { admins, clock, store } = setUp();
  assert.ok(admins.setupNeeded);
  const old = admins.newSetupSecret() ?? "";
  const late = admins.newSetupSecret() ?? "";
  await assert.rejects(admins.setUp(old, JUMA, SITE), fault("forbidden"));
  await clock.advance(HOUR);
  await assert.rejects(admins.setUp(late, JUMA, SITE), fault("forbidden"));
  const secret = admins.newSetupSecret() ?? "";
  assert.ok(!JSON.stringify(store.settings.get("console.setup")).includes(secret), "only a hash is kept");
  for (const wrong of ["", secret.slice(1), secret.toLowerCase(), "A".repeat(43)]) {
    await assert.rejects(admins.setUp(wrong, JUMA, SITE), fault("forbidden"));
  }
  await assert.rejects(admins.setUp(secret, { name: "Juma", password: "short" }, SITE), fault("unfit"));
  const { actor } = await admins.setUp(secret, JUMA, SITE);
  assert.deepEqual([actor.name, actor.role], ["Juma", "owner"]);
  await assert.rejects(admins.setUp(secret, { name: "Eve", password: PASSWORD }, SITE), fault("conflict"));
  assert.equal(admins.newSetupSecret(), null);
  assert.ok(!admins.setupNeeded);
});

Deno.test("of two who open the set-up link at once one becomes the owner", async () => {
  const { admins } = setUp();
  const secret = admins.newSetupSecret() ?? "";
  const both = await Promise.allSettled(["Asha", "Eve"].map((name) => admins.setUp(secret, { ...JUMA, name }, SITE)));
  assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  assert.equal(admins.list().length, 1);
});

Deno.test("a session is found by its secret, of which only the hash is kept", async () => {
  const { admins, first, store } = await withOwner();
  assert.deepEqual(admins.bySession(first.secret), first.actor);
  assert.equal(store.sessions.get(first.secret), undefined);
  for (const wrong of ["", first.actor.session ?? "", first.secret.slice(1), "A".repeat(43)]) {
    assert.equal(admins.bySession(wrong), null);
  }
});

Deno.test("a session ends when it is not used for 12 hours, after 7 days in any case", async () => {
  const { admins, clock } = await withOwner();
  const { secret } = await admins.signIn("asha", PASSWORD, "");
  await clock.advance(12 * HOUR - 1);
  assert.ok(admins.bySession(secret));
  await clock.advance(12 * HOUR - 1);
  assert.ok(admins.bySession(secret), "use goes on");
  await clock.advance(12 * HOUR);
  assert.equal(admins.bySession(secret), null);
  const busy = (await admins.signIn("asha", PASSWORD, "")).secret;
  for (let hour = 0; hour < 7 * 24; hour++) {
    assert.ok(admins.bySession(busy), `hour ${hour}`);
    await clock.advance(HOUR);
  }
  assert.equal(admins.bySession(busy), null);
});

Deno.test("signing out ends one session, signing out everywhere all, of this admin only", async () => {
  const { admins, first, owner } = await withOwner();
  const other = await admins.accept(admins.invite("viewer", HOUR, "Asha").secret, JUMA, SITE);
  const second = await admins.signIn("Asha", PASSWORD, "");
  assert.notEqual(first.secret, second.secret);
  admins.signOut(second.secret);
  assert.equal(admins.bySession(second.secret), null);
  assert.ok(admins.bySession(first.secret));
  admins.signOutEverywhere(owner);
  assert.equal(admins.bySession(first.secret), null);
  assert.ok(admins.bySession(other.secret));
});

Deno.test("names are the same whatever their case and form; some mean something else already", async () => {
  const { admins } = await withOwner();
  const named = (name: string) =>
    admins.accept(admins.invite("viewer", HOUR, "Asha").secret, { name, password: PASSWORD }, SITE);
  for (const taken of ["asha", " ASHA ", "Ａｓｈａ"]) await assert.rejects(named(taken), fault("conflict"));
  for (const bad of ["", " ", "admin", "System", "token:x", "a\nb", "a\u202eb", "x".repeat(65)]) {
    await assert.rejects(named(bad), fault("unfit"));
  }
  await named("Zoë");
  assert.equal((await admins.signIn("ZOË".normalize("NFD"), PASSWORD, "")).actor.name, "Zoë");
});

Deno.test("a wrong password and an unknown name are refused alike, after the same work", async () => {
  const { admins } = await withOwner();
  const hashed: string[] = [];
  const derive = crypto.subtle.deriveBits;
  crypto.subtle.deriveBits = (algorithm, ...rest) => {
    hashed.push(JSON.stringify(Object.entries(algorithm).filter(([key]) => key !== "nonce")));
    return derive.call(crypto.subtle, algorithm, ...rest);
  };
  try {
    await admins.signIn("nobody", PASSWORD, "").catch(() => {}); // makes the hash that is nobody's
    const messages = [];
    for (const [name, password] of [["Asha", "wrong wrong wrong"], ["nobody", PASSWORD]]) {
      hashed.length = 0;
      messages.push(
        await admins.signIn(name, password, "").catch((error) => `${error.fault} ${error.message} ${hashed}`),
      );
      assert.equal(hashed.length, 1);
    }
    assert.equal(messages[0], messages[1]);
  } finally {
    crypto.subtle.deriveBits = derive;
  }
});

Deno.test("guessing: an account and an address have ten and thirty tries, and get new ones with time", async () => {
  const { admins, clock } = await withOwner();
  const guess = (name: string) => admins.signIn(name, "wrong wrong wrong", "192.0.2.1");
  for (let n = 0; n < 10; n++) await assert.rejects(guess("Asha"), fault("unauthorised"));
  await assert.rejects(guess("ASHA "), fault("too many"));
  await assert.rejects(admins.signIn("Asha", PASSWORD, "198.51.100.1"), fault("too many"));
  await clock.advance(30_000);
  assert.ok(await admins.signIn("Asha", PASSWORD, ""));
  const knock = (address: string) => admins.attempts.fromAddress(address);
  for (let n = 0; n < 30; n++) knock(`2001:db8:0:1::${n.toString(16)}`);
  assert.throws(() => knock("2001:db8::1:ffff:0:0:9"), fault("too many")); // the same /64
  knock("2001:db8:0:2::1");
  for (let n = 0; n < 30; n++) knock("::ffff:192.0.2.7");
  assert.throws(() => knock("::ffff:192.0.2.7"), fault("too many"));
  knock("::ffff:192.0.2.8");
});

Deno.test("refused sign-ins are noted, but nobody fills the audit trail with them", async () => {
  const { admins } = await withOwner();
  for (let n = 0; n < 100; n++) await assert.rejects(admins.signIn(`guess ${n}`, "my secret password", "192.0.2.1"));
  const refused = admins.audit({ action: "session.refuse" }, 200);
  assert.equal(refused.length, 20);
  assert.ok(!JSON.stringify(refused).includes("guess"), "what was typed may be a password");
  assert.equal(refused[0].address, "192.0.2.1");
});

Deno.test("a changed password ends all sessions but the new one; the present one must be known", async () => {
  const { admins, first, owner } = await withOwner();
  const other = "purple otter on a bicycle";
  await assert.rejects(admins.changePassword(owner, undefined, other), fault("forbidden"));
  await assert.rejects(admins.changePassword(owner, "wrong", other), fault("forbidden"));
  await assert.rejects(admins.changePassword(owner, PASSWORD, "short"), fault("unfit"));
  assert.ok(admins.bySession(first.secret));
  const fresh = await admins.changePassword(owner, PASSWORD, other);
  assert.equal(admins.bySession(first.secret), null);
  assert.ok(admins.bySession(fresh.secret));
  await assert.rejects(admins.signIn("Asha", PASSWORD, ""), fault("unauthorised"));
  assert.ok(await admins.signIn("Asha", other, ""));
});

Deno.test("a role takes effect at once; the last owner stays one", async () => {
  const { admins, owner } = await withOwner();
  const { secret, actor } = await admins.accept(admins.invite("viewer", HOUR, "Asha").secret, JUMA, SITE);
  assert.equal(admins.bySession(secret)?.role, "viewer");
  admins.setRole(actor.admin ?? "", "moderator");
  assert.equal(admins.bySession(secret)?.role, "moderator");
  for (const attempt of [() => admins.setRole(owner, "viewer"), () => admins.remove(owner)]) {
    assert.throws(attempt, fault("conflict"));
  }
  admins.setRole(actor.admin ?? "", "owner");
  admins.remove(owner);
  assert.equal(admins.list().length, 1);
  assert.throws(() => admins.remove(actor.admin ?? ""), fault("conflict"));
  assert.throws(() => admins.setRole(owner, "viewer"), fault("not found"));
});

Deno.test("a removed admin's sessions and passkeys are gone", async () => {
  const { admins, store } = await withOwner();
  const key = new Authenticator(SITE.origin);
  const { secret } = admins.invite("owner", HOUR, "Asha");
  const passkey = key.create(await admins.beginAccept(secret, SITE, "Juma"));
  const signedIn = await admins.accept(secret, { name: "Juma", passkey }, SITE);
  admins.remove(signedIn.actor.admin ?? "");
  assert.equal(admins.bySession(signedIn.secret), null);
  assert.equal(store.passkeys.get(key.id), undefined);
  const shown = key.get(await admins.passkeys.beginSignIn(SITE));
  await assert.rejects(admins.signInWithPasskey(shown, SITE, ""), fault("unauthorised"));
});

Deno.test("an invitation is good once and for its time, and gives its role", async () => {
  const { admins, clock } = await withOwner();
  const { secret, id, hash } = admins.invite("moderator", HOUR, "Asha");
  assert.ok(!JSON.stringify(admins.invitations()).includes(secret));
  assert.notEqual(hash, secret);
  const { actor } = await admins.accept(secret, JUMA, SITE);
  assert.equal(actor.role, "moderator");
  await assert.rejects(admins.accept(secret, { ...JUMA, name: "Eve" }, SITE), fault("forbidden"));
  assert.throws(() => admins.cancelInvitation(id), fault("not found"));
  const late = admins.invite("owner", HOUR, "Asha");
  await clock.advance(HOUR);
  await assert.rejects(admins.accept(late.secret, { ...JUMA, name: "Eve" }, SITE), fault("forbidden"));
  assert.deepEqual(admins.invitations(), []);
  const taken = admins.invite("owner", HOUR, "Asha");
  admins.cancelInvitation(taken.id);
  await assert.rejects(admins.accept(taken.secret, { ...JUMA, name: "Eve" }, SITE), fault("forbidden"));
});

Deno.test("an API token is found by its secret until it expires or is removed", async () => {
  const { admins, clock } = await withOwner();
  const short = admins.addToken("backup", "viewer", HOUR, "Asha");
  const long = admins.addToken("bot", "moderator", null, "Asha");
  assert.deepEqual(admins.byToken(short.secret), { name: "token:backup", role: "viewer", token: short.hash });
  assert.equal(admins.byToken(short.hash), null);
  const { secret: _secret, ...kept } = short;
  assert.deepEqual(admins.tokens().find(({ id }) => id === short.id), { ...kept, used: clock.now() });
  await clock.advance(HOUR);
  assert.equal(admins.byToken(short.secret), null);
  assert.equal(admins.present({ name: "", role: "viewer", token: short.hash }), null);
  const bot = admins.byToken(long.secret);
  assert.equal(bot?.role, "moderator");
  admins.removeToken(long.id);
  assert.equal(admins.byToken(long.secret), null);
  assert.equal(admins.present(bot), null);
});

Deno.test("a passkey: made at the set-up, then signs in without a name; its counter is kept", async () => {
  const { admins, store } = setUp();
  const key = new Authenticator(SITE.origin);
  const secret = admins.newSetupSecret() ?? "";
  const passkey = key.create(await admins.beginSetup(secret, SITE, "Asha"));
  const { actor } = await admins.setUp(secret, { name: "Asha", passkey }, SITE);
  assert.deepEqual(admins.list().map(({ password, passkeys }) => [password, passkeys]), [[false, 1]]);
  const shown = key.get(await admins.passkeys.beginSignIn(SITE));
  const signedIn = await admins.signInWithPasskey(shown, SITE, "");
  assert.equal(signedIn.actor.admin, actor.admin);
  assert.equal(store.passkeys.get(key.id)?.counter, 2);
  await assert.rejects(admins.signInWithPasskey(shown, SITE, ""), fault("unauthorised"), "a dialogue is good once");
  await assert.rejects(admins.signIn("Asha", "", ""), fault("unauthorised"), "who has no password has no empty one");
  assert.throws(() => admins.removePasskey(actor.admin ?? "", key.id), fault("conflict"));
});

Deno.test("a passkey's answer is refused when anything about it is wrong", async () => {
  const { admins, owner, clock } = await withOwner();
  const key = new Authenticator(SITE.origin);
  await admins.addPasskey(owner, SITE, "phone", key.create(await admins.beginPasskey(owner, SITE)));
  const shown = async (faults = {}) => key.get(await admins.passkeys.beginSignIn(SITE), faults);
  const refused = async (response: Awaited<ReturnType<typeof shown>>, site = SITE) =>
    await assert.rejects(admins.signInWithPasskey(response, site, ""), fault("unauthorised"));
  await refused(await shown({ origin: "https://evil.example" }));
  await refused(await shown({ rpId: "evil.example" }));
  await refused(await shown({ flags: 0x01 })); // nobody looked who it was
  await refused(key.get({ challenge: "AAAA", rpId: SITE.rpId }));
  await refused(await shown(), { origin: "https://other.example", rpId: "other.example" });
  const stale = await shown();
  await clock.advance(5 * 60_000);
  await refused(stale);
  await refused({ ...await shown(), id: "AAAA", rawId: "AAAA" });
  const registration = await admins.beginPasskey(owner, SITE);
  await refused(key.get({ challenge: registration.challenge, rpId: SITE.rpId })); // of another kind of dialogue
  assert.ok(await admins.signInWithPasskey(await shown(), SITE, ""));
  key.forge();
  await refused(await shown());
});

Deno.test("a new passkey is refused when it was begun elsewhere, by somebody else, or is known", async () => {
  const { admins, owner, first } = await withOwner();
  const other = await admins.accept(admins.invite("viewer", HOUR, "Asha").secret, JUMA, SITE);
  const key = new Authenticator(SITE.origin);
  const add = async (faults = {}, admin = owner) =>
    admins.addPasskey(owner, SITE, "phone", key.create(await admins.beginPasskey(admin, SITE), faults));
  await assert.rejects(add({ origin: "https://evil.example" }), fault("unfit"));
  await assert.rejects(add({ rpId: "evil.example" }), fault("unfit"));
  await assert.rejects(add({ flags: 0x01 }), fault("unfit"));
  await assert.rejects(add({}, other.actor.admin), fault("unfit"));
  const signIn = await admins.passkeys.beginSignIn(SITE);
  const made = key.create({ challenge: signIn.challenge, rp: { id: SITE.rpId } });
  await assert.rejects(admins.addPasskey(owner, SITE, "phone", made), fault("unfit"));
  assert.equal(admins.passkeysOf(owner).length, 0);
  await add();
  await assert.rejects(add(), fault("conflict"));
  assert.deepEqual(admins.passkeysOf(owner).map(({ id, name }) => [id, name]), [[key.id, "phone"]]);
  // one's own dialogue does not make another account
  const { secret } = admins.invite("owner", HOUR, "Asha");
  const twin = new Authenticator(SITE.origin).create(await admins.beginPasskey(owner, SITE));
  await assert.rejects(admins.accept(secret, { name: "Twin", passkey: twin }, SITE), fault("unfit"));
  admins.removePasskey(owner, key.id);
  assert.ok(admins.bySession(first.secret));
});

Deno.test("passkeys need a host name", async () => {
  const { admins, owner } = await withOwner();
  const site = { origin: "http://127.0.0.1:8042", rpId: null };
  await assert.rejects(admins.passkeys.beginSignIn(site), fault("conflict"));
  await assert.rejects(admins.beginPasskey(owner, site), fault("conflict"));
});

Deno.test("accounts are there after a restart", async () => {
  const { admins, store, clock, first } = await withOwner();
  const token = admins.addToken("bot", "viewer", null, "Asha");
  const again = new Admins({ store, clock, cost: CHEAP });
  assert.deepEqual(again.bySession(first.secret), first.actor);
  assert.equal(again.byToken(token.secret)?.role, "viewer");
  assert.equal(again.newSetupSecret(), null);
});
