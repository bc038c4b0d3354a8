import assert from "node:assert/strict";
import { ethereumAddress, newEthereumKey } from "../../../core/identity/ethereum.ts";
import { KeyError, PrivateKey } from "../../../core/identity/keys.ts";
import { checkNameRecord, isName, NameError, registerRequest } from "../../../core/identity/names.ts";
import { expected, vectorText } from "./vectors.ts";

const request = JSON.parse(vectorText("nameserver-register-request.json"));

Deno.test("the daemon's registration holds, with the NUL after its PEM", async () => {
  assert.equal(await checkNameRecord("BobSPare", request), request.addr);
  assert.equal(await checkNameRecord("bobspare", { ...request, addr: `0x${request.addr}` }), request.addr);
});

Deno.test("a record with another name, account, key or signature is refused", async () => {
  await assert.rejects(checkNameRecord("bob", request), NameError);
  await assert.rejects(checkNameRecord("bobspare", { ...request, addr: expected.ids.account_id }), NameError);
  await assert.rejects(checkNameRecord("bobspare", { ...request, publickey: "AAAA" }), NameError);
  await assert.rejects(checkNameRecord("bobspare", { ...request, signature: "!" }), NameError);
  await assert.rejects(checkNameRecord("bobspare", { addr: "nobody" }), NameError);
});

Deno.test("a record without a signature is taken on the server's word", async () => {
  assert.equal(await checkNameRecord("bobspare", { addr: request.addr }), request.addr);
});

Deno.test("our own registration has the daemon's form and verifies, with PEM and with DER", async () => {
  const key = PrivateKey.fromPem(vectorText("device.key.pem"));
  const own = await registerRequest("Kituo", key, newEthereumKey());
  assert.deepEqual(Object.keys(own), Object.keys(request));
  assert.match(own.owner, /^[0-9a-f]{40}$/);
  assert.equal(await checkNameRecord("kituo", own), key.publicKey.id);
  assert.equal(
    await checkNameRecord("kituo", { ...own, publickey: key.publicKey.spki.toBase64() }),
    key.publicKey.id,
  );
  await assert.rejects(registerRequest("a b", key, newEthereumKey()), NameError);
});

Deno.test("what may be a name", () => {
  for (const good of ["abc", "A-b_9", "x".repeat(32)]) assert.equal(isName(good), true, good);
  for (const bad of ["ab", "x".repeat(33), "añb", "a b c", "", "abc\n"]) assert.equal(isName(bad), false, bad);
});

Deno.test("the Ethereum address of the vectors", () => {
  const { ethKey } = JSON.parse(vectorText("archive-nopassword.json"));
  assert.equal(ethereumAddress(Uint8Array.fromBase64(ethKey)), expected.ids.eth_address);
  assert.throws(() => ethereumAddress(new Uint8Array(32)), KeyError);
  assert.throws(() => ethereumAddress(new Uint8Array(5)), KeyError);
});
