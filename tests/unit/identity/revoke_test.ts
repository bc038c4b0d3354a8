import assert from "node:assert/strict";
import { readArchive } from "../../../core/identity/archive.ts";
import { Certificate, CertificateError } from "../../../core/identity/certificate.ts";
import { checkChain } from "../../../core/identity/chain.ts";
import { newDevice } from "../../../core/identity/identity.ts";
import { RevocationList } from "../../../core/identity/revocation.ts";
import { revoke, signRevocations } from "../../../core/identity/revoke.ts";
import { expected, vector, vectorText } from "./vectors.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const archive = await readArchive(vector("archive-nopassword.gz"));
const daemons = RevocationList.fromDer(vector("crl.der"));
const revokedByDaemon = Certificate.listFromPem(vectorText("revoked-device-chain.pem"));

Deno.test("the daemon's list, written by us, is the same to the last byte", async () => {
  assert.equal(archive.accountKey.publicKey.id, expected.ids.account_id);
  const { number, thisUpdate: now, entries } = daemons;
  assert.ok(number);
  const ours = await signRevocations(archive, { number, now, entries });
  assert.equal(ours.der.toHex(), daemons.der.toHex());
});

Deno.test("a list names all that were revoked before, negative serials too, and its number grows", async () => {
  const mine = await newDevice(archive, NOW);
  const first = await revoke(archive, mine.chain[0], [], NOW);
  assert.ok(first.number !== null && first.number > 0n);
  const daemonsOwn = Certificate.listFromPem(vectorText("chain.pem"))[0];
  assert.equal(daemonsOwn.serial[0], "b", "it is negative");
  const second = await revoke(archive, daemonsOwn, [first, daemons], NOW + 1_000);
  for (const leaf of [mine.chain[0], daemonsOwn, revokedByDaemon[0]]) assert.ok(second.revokes(leaf));
  assert.ok((second.number ?? 0n) > (daemons.number ?? 0n) && (second.number ?? 0n) > first.number);
  assert.ok(second.isSignedBy(archive.accountChain[0]));
  const revocations = [second];
  assert.throws(
    () => checkChain(mine.chain, { now: NOW, revocations }),
    (error) => error instanceof CertificateError && error.reason === "revoked",
  );
});

Deno.test("lists that the account has not signed add nothing", async () => {
  const other = await readArchive(vector("webcrypto-archive.gz"));
  const foreign = await revoke(other, revokedByDaemon[0], [], NOW);
  const list = await revoke(archive, Certificate.listFromPem(vectorText("chain.pem"))[0], [foreign], NOW);
  assert.equal(list.entries.size, 1);
});
