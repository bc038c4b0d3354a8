/**
 * The runtime must check that the peer holds the key of the certificate it shows, although it is told to accept every certificate. The runtime itself
 * refuses to load a key that does not fit its certificate, so the attacker is the openssl program.
 */

import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";
import { concat } from "../../../core/base/bytes.ts";
import type { PrivateKey } from "../../../core/identity/keys.ts";
import { ConnectError } from "../../../core/transport/channel.ts";
import { type RawLink, RawPeer } from "./raw_peer.ts";
import { managerFor, SignallingTable, testDevices } from "./support.ts";

const hasOpenssl = await new Deno.Command("openssl", { args: ["version"] }).output().then(
  (o) => o.success,
  () => false,
);

/** A private key file with the public half of one key and the secret half of another. */
function forgedKey(shown: PrivateKey, held: PrivateKey): string {
  const secret = createPrivateKey(held.toPem()).export({ format: "jwk" });
  const open = createPublicKey(shown.publicKey.toPem()).export({ format: "jwk" });
  const { d, p, q, dp, dq, qi } = secret;
  const numbers = [open.n, open.e, d, p, q, dp, dq, qi].map((n) => {
    const bytes = Uint8Array.fromBase64(n ?? "", { alphabet: "base64url" });
    return tlv(2, bytes[0] < 128 ? bytes : concat(Uint8Array.of(0), bytes)); // DER numbers are signed
  });
  const der = tlv(0x30, concat(tlv(2, Uint8Array.of(0)), ...numbers));
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return ["-----BEGIN RSA PRIVATE KEY-----", ...lines, "-----END RSA PRIVATE KEY-----", ""].join("\n");
}

function tlv(tag: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = value;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.of(tag, ...head), value);
}

/** Lets openssl be the TLS client on a connection after ICE. */
async function opensslClient({ link, session }: RawLink, chainPem: string, keyPem: string): Promise<void> {
  const dir = await Deno.makeTempDir();
  const bridge = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    await Deno.writeTextFile(`${dir}/chain.pem`, chainPem);
    await Deno.writeTextFile(`${dir}/issuers.pem`, chainPem.slice(chainPem.indexOf("-----BEGIN", 10)));
    await Deno.writeTextFile(`${dir}/key.pem`, keyPem);
    const args = ["s_client", "-connect", `127.0.0.1:${bridge.addr.port}`, "-quiet", "-cert", `${dir}/chain.pem`];
    const chain = ["-cert_chain", `${dir}/issuers.pem`, "-key", `${dir}/key.pem`];
    const openssl = new Deno.Command("openssl", {
      args: [...args, ...chain],
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    });
    const process = openssl.spawn();
    // openssl that ends before it connects has not understood its files.
    const conn = await Promise.race([bridge.accept(), process.status.then(() => Promise.reject(new Error("openssl")))]);
    const writes: Promise<unknown>[] = [];
    link.handTo(session.readerFor({
      data: (bytes) => void writes.push(conn.write(bytes.slice()).catch(() => {})),
      ended: () => conn.close(),
    }));
    link.resume();
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await conn.read(buffer).catch(() => null)) !== null;) {
      await link.send(buffer.slice(0, n)).catch(() => {});
    }
    link.close();
    await Promise.all(writes);
    await process.stdin.close();
    await process.status;
  } finally {
    bridge.close();
    await Deno.remove(dir, { recursive: true });
  }
}

for (const forged of [false, true]) {
  Deno.test({
    name: forged ? "a device's chain without its key is refused" : "openssl with a device's chain and key is let in",
    ignore: !hasOpenssl, // then the check needs Debian's openssl package
    async fn() {
      const [a, b, m] = await testDevices();
      const table = new SignallingTable();
      const alice = managerFor(a, table, [b]);
      const peer = new RawPeer(b, table);
      alice.start();
      try {
        const connecting = alice.connect(b.key.publicKey);
        const outcome = connecting.then(() => "connected", (error) => error);
        const client = opensslClient(await peer.answer(), b.chainPem, forged ? forgedKey(b.key, m.key) : b.key.toPem());
        const result = await outcome;
        if (forged) {
          assert(result instanceof ConnectError);
          assert.doesNotMatch(result.message, /closed|alert|nothing within/i); // our side refused, it did not give up
        } else assert.equal(result, "connected");
        await alice.stop();
        await client;
      } finally {
        await Promise.all([alice.stop(), peer.stop()]);
      }
    },
  });
}
