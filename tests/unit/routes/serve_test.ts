import assert from "node:assert/strict";
import { adminToken, AdminTokenError } from "../../../routes/admin_token.ts";
import { ListenError, serve } from "../../../routes/serve.ts";
import { FakeNode } from "./fake_node.ts";
import { TOKEN } from "./support.ts";

async function withFolder(test: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kituo-token-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the admin token is made once, 32 random bytes, readable by its owner only", () =>
  withFolder((folder) => {
    const token = adminToken(folder);
    assert.equal(Uint8Array.fromBase64(token, { alphabet: "base64url" }).length, 32);
    assert.equal(adminToken(folder), token);
    assert.equal(Deno.readTextFileSync(`${folder}/admin.token`), `${token}\n`);
    assert.equal((Deno.statSync(`${folder}/admin.token`).mode ?? 0) & 0o777, 0o600);
    assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), ["admin.token"]);
    Deno.removeSync(`${folder}/admin.token`);
    assert.notEqual(adminToken(folder), token);
  }));

Deno.test("a half written token of a crash is not taken, an own one is, made private", () =>
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/admin.token.new`, "half");
    assert.equal(adminToken(folder).length, 43);
    const path = `${folder}/admin.token`;
    Deno.writeTextFileSync(path, `${"my own token ".replaceAll(" ", "-").repeat(4)}\n`);
    Deno.chmodSync(path, 0o644);
    assert.match(adminToken(folder), /^my-own-token-/);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    for (const bad of ["", "short", "x".repeat(201), "a b".repeat(20)]) {
      Deno.writeTextFileSync(path, bad);
      assert.throws(() => adminToken(folder), AdminTokenError);
    }
  }));

Deno.test("the console listens where it is told, also on IPv6, and says where", async () => {
  for (const host of ["127.0.0.1", "::1"]) {
    const face = serve(new FakeNode(), TOKEN, { host, port: 0 });
    assert.match(face.url, host === "::1" ? /^http:\/\/\[::1\]:\d+$/ : /^http:\/\/127\.0\.0\.1:\d+$/);
    const response = await fetch(`${face.url}/healthz`);
    assert.deepEqual(await response.json(), { status: "ok" });
    await face.close();
    await assert.rejects(fetch(`${face.url}/healthz`));
  }
});

Deno.test("over a real socket: a request without a body needs none, a body must be JSON", async () => {
  const face = serve(new FakeNode(), TOKEN, { host: "127.0.0.1", port: 0 });
  const url = new URL(face.url);
  /** Status of the answer to exactly these lines. */
  const ask = async (line: string, rest: string) => {
    const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
    const head = `${line} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n`;
    await connection.write(new TextEncoder().encode(head + rest));
    const answer = await new Response(connection.readable).text();
    return Number(answer.split(" ")[1]);
  };
  const contact = `/api/v1/contacts/${"1".repeat(40)}`;
  assert.equal(await ask(`DELETE ${contact}`, "\r\n"), 404);
  assert.equal(await ask(`POST /api/v1/requests/${"1".repeat(40)}/accept`, "\r\n"), 404);
  assert.equal(await ask("POST /api/v1/contacts", "Content-Length: 2\r\n\r\n{}"), 415);
  assert.equal(await ask("POST /api/v1/contacts", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), 415);
  assert.equal(await ask("POST /api/v1/contacts", "\r\n"), 422);
  await face.close();
});

Deno.test("an address in use is refused with a sentence that names it", async () => {
  const first = serve(new FakeNode(), TOKEN, { host: "127.0.0.1", port: 0 });
  const port = Number(new URL(first.url).port);
  assert.throws(
    () => serve(new FakeNode(), TOKEN, { host: "127.0.0.1", port }),
    (error) => error instanceof ListenError && error.message.includes(`127.0.0.1:${port}`),
  );
  await first.close();
});

Deno.test("closing does not wait for a request that never ends", async () => {
  const face = serve(new FakeNode(), TOKEN, { host: "127.0.0.1", port: 0 });
  const url = new URL(face.url);
  const connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const head = `POST /api/v1/contacts HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${TOKEN}\r\n` +
    "Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n";
  await connection.write(new TextEncoder().encode(head));
  await connection.read(new Uint8Array(100)); // "100 Continue": the handler is waiting for the body
  const begun = performance.now();
  await face.close();
  assert.ok(performance.now() - begun < 2_000);
  connection.close();
  await face.finished;
});
