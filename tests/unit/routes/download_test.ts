import assert from "node:assert/strict";
import { attachment, fileName } from "../../../routes/attachment.ts";
import { CONVERSATION, id } from "./fake_node.ts";
import { browser, problemOf, session, setUp } from "./support.ts";

const OF = `/api/v1/conversations/${CONVERSATION}`;

/** A moderator's browser; the first of two files is here. */
async function withFiles(blind = false) {
  const world = setUp({ blind });
  world.node.sent[0].state = "stored";
  world.node.sent[0].name = 'map\u202egnp."exe\r\nx: y';
  const { secret } = await session(world.node, "moderator");
  const ask = (method: string, path: string, body?: unknown) =>
    world.app.request(path, {
      method,
      headers: { ...browser(secret), ...body !== undefined && { "content-type": "application/json" } },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  const [here, away] = world.node.sent.map((file) => `${OF}/files/${file.id}/content`);
  const downloads = () => world.node.admins.audit({ action: "file.download" }, 10);
  return { ...world, ask, here, away, downloads };
}

Deno.test("a file is downloaded once the conversation is revealed, and the audit trail tells of it", async () => {
  const { ask, here, node, downloads } = await withFiles();
  await problemOf(ask("GET", here), 403);
  assert.equal((await ask("POST", `${OF}/reveal`, { reason: "a report" })).status, 201);
  const answer = await ask("GET", here);
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "map");
  assert.deepEqual(
    ["content-type", "content-length", "x-content-type-options", "content-security-policy", "cache-control"]
      .map((name) => answer.headers.get(name)),
    ["application/octet-stream", "3", "nosniff", "sandbox; default-src 'none'; frame-ancestors 'none'", "no-store"],
  );
  assert.equal(
    answer.headers.get("content-disposition"),
    "attachment; filename=\"mapgnp._exe__x_ y\"; filename*=UTF-8''mapgnp._exe__x_%20y",
  );
  const [entry, ...others] = downloads();
  assert.deepEqual([entry.actor, entry.target], ["some moderator", `${CONVERSATION} ${node.sent[0].id}`]);
  assert.deepEqual(others, []);
});

Deno.test("no file without the right to read, on a blind node, or when it is not here; nothing is noted then", async () => {
  const { ask, app, node, here, away, clock, downloads } = await withFiles();
  await ask("POST", `${OF}/reveal`, { reason: "a report" });
  await problemOf(ask("GET", away), 404);
  await problemOf(ask("GET", `${OF}/files/${id(5)}/content`), 404);
  await problemOf(ask("GET", `/api/v1/conversations/${id(5)}/files/${id(5)}/content`), 403);
  await problemOf(ask("GET", `${OF}/files/..%2f..%2fkituo.db/content`), 400);
  const head = await ask("HEAD", here);
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, "3"]);
  // another session of another admin, a viewer, nobody
  const other = await session(node, "owner"), viewer = await session(node, "viewer");
  for (const [{ secret }, status] of [[other, 403], [viewer, 403]] as const) {
    await problemOf(app.request(here, { headers: browser(secret) }), status);
  }
  await problemOf(app.request(here), 401);
  await ask("DELETE", `${OF}/reveal`);
  await problemOf(ask("GET", here), 403);
  await ask("POST", `${OF}/reveal`, { reason: "a report" });
  await clock.advance(15 * 60_000);
  await problemOf(ask("GET", here), 403);
  assert.deepEqual(downloads(), []);
  const blind = await withFiles(true);
  await problemOf(blind.ask("POST", `${OF}/reveal`, { reason: "a report" }), 403);
  assert.match(await problemOf(blind.ask("GET", blind.here), 403), /blind/);
  assert.deepEqual(blind.downloads(), []);
});

Deno.test("the page of files has links for who may read, and says why others have none", async () => {
  const { app, ask, node, here, away } = await withFiles();
  const { secret } = await session(node, "moderator", "reader");
  const page = async (as = secret) =>
    await (await app.request(`/conversations/${CONVERSATION}/files`, {
      headers: { ...browser(as), accept: "text/html" },
    })).text();
  const hidden = await page();
  assert.ok(!hidden.includes("/content") && hidden.includes("reveal the texts first"));
  await app.request(`${OF}/reveal`, {
    method: "POST",
    headers: { ...browser(secret), "content-type": "application/json" },
    body: JSON.stringify({ reason: "a report" }),
  });
  const shown = await page();
  assert.ok(shown.includes(`href="${here}"`) && !shown.includes(away));
  assert.equal((await ask("GET", here)).status, 403, "it is the reader's alone");
});

Deno.test("a name that a stranger chose is one that any system takes, shows its ending, and stays one header", () => {
  for (
    const [name, safe] of [
      ["map.png", "map.png"],
      ["../../etc/passwd", "_.._etc_passwd"],
      ["..\\..\\x.bat", "_.._x.bat"],
      ["photo\u202egpj.exe", "photogpj.exe"],
      ['a"b;c.txt', "a_b;c.txt"],
      ["a\r\nset-cookie: x=1", "a__set-cookie_ x=1"],
      ["\u0000\u001b[31m", "__[31m"],
      [".htaccess", "htaccess"],
      [" . ", "file"],
      ["", "file"],
      ["\u202e\u200b", "file"],
      ["صورة.png", "صورة.png"],
      ["\ud800.png", "\ufffd.png"],
    ]
  ) {
    assert.equal(fileName(name), safe);
  }
  const long = fileName(`${"é🌍".repeat(500)}.tar.gz`);
  assert.ok(new TextEncoder().encode(long).length <= 200 && long.endsWith(".tar.gz") && long.isWellFormed());
  assert.equal(
    attachment("l’été (50%)*'.png"),
    "attachment; filename=\"l__t_ (50_)__.png\"; filename*=UTF-8''l%E2%80%99%C3%A9t%C3%A9%20%2850%25%29_%27.png",
  );
  for (let n = 0; n < 0x3000; n++) {
    const value = attachment(`a${String.fromCharCode(n)}b.png`);
    assert.match(value, /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]+"; filename\*=UTF-8''[\w!#$&+.^`|~%-]+$/);
    new Headers({ "content-disposition": value });
  }
});
