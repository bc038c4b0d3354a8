import assert from "node:assert/strict";
import { adminToken, AdminTokenError } from "../../../routes/admin_token.ts";
import { ListenError, serve, serveNamesIfPossible } from "../../../routes/serve.ts";
import { FakeNode } from "./fake_node.ts";
import { TOKEN } from "./support.ts";

const CROWDED = new URL("crowded_child.ts", import.meta.url).pathname;

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

Deno.test("a name server that cannot listen does not keep the node from its work", async () => {
  const names = { record: () => null, nameOf: () => null, register: () => Promise.reject(new Error("not asked")) };
  const first = serve(new FakeNode(), TOKEN, { host: "127.0.0.1", port: 0 });
  assert.equal(serveNamesIfPossible(names, { host: "127.0.0.1", port: Number(new URL(first.url).port) }), null);
  const served = serveNamesIfPossible(names, { host: "127.0.0.1", port: 0 });
  assert.match(served?.url ?? "", /^http/);
  await served?.close();
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

Deno.test("a console that ended because no file could be opened listens again at the same port", async () => {
  const child = new Deno.Command("bash", {
    args: ["-c", 'ulimit -n 100; exec "$@"', "-", Deno.execPath(), "run", "-A", "--no-check", CROWDED],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = linesOf(child.stdout), log = linesOf(child.stderr);
  const stdin = child.stdin.getWriter();
  try {
    const url = new URL(await lineWith(output, "http"));
    const at = { hostname: url.hostname, port: Number(url.port) };
    await knock(at);
    await lineWith(log, "ended by itself");
    await lineWith(log, "listens again"); // in the place of its old socket, and for one connection at most
    await knock(at);
    await lineWith(log, "ended by itself");
    const other = Deno.listen(at);
    await lineWith(log, "still no console");
    other.close();
    await stdin.write(new Uint8Array(1));
    await lineWith(log, "listens again");
    assert.deepEqual(await (await fetch(`${url}healthz`)).json(), { status: "ok" });
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await Promise.all([stdin.close().catch(() => {}), output.return(undefined), log.return(undefined)]);
  }
});

Deno.test("nothing is written to standard error when requests are answered", async () => {
  const code = `import { serve } from ${JSON.stringify(new URL("../../../routes/serve.ts", import.meta.url).href)};
    import { FakeNode } from ${JSON.stringify(new URL("fake_node.ts", import.meta.url).href)};
    const face = serve(new FakeNode(), "${TOKEN}", { host: "127.0.0.1", port: 0 });
    const headers = { authorization: "Bearer ${TOKEN}" };
    const answer = await fetch(face.url + "/api/v1/requests/${"0".repeat(39)}1/accept", {
      method: "POST",
      headers,
      body: new Blob([]).stream(), // in chunks
    });
    console.log(answer.status, await answer.text());
    await face.close();`;
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", `--config=${config}`, code],
  }).output();
  assert.match(new TextDecoder().decode(stdout), /^200 /);
  assert.equal(new TextDecoder().decode(stderr), "");
});

/** A connection that the other side may cut at once. */
async function knock(at: Deno.ConnectOptions): Promise<void> {
  await Deno.connect(at).then((connection) => connection.close(), () => {});
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

/** The next line with these words; those before it are left out. */
async function lineWith(lines: AsyncGenerator<string>, words: string): Promise<string> {
  while (true) {
    const { value, done } = await lines.next();
    if (done) throw new Error(`ended without "${words}"`);
    if (value.includes(words)) return value;
  }
}
