import assert from "node:assert/strict";
import type { Entry, MessageInfo } from "../../../core/node_api.ts";
import { CONVERSATION, id } from "./fake_node.ts";
import { browser, problemOf, session, setUp } from "./support.ts";

const SECRET = "the treasure is under the baobab";
const PATH = `/api/v1/conversations/${CONVERSATION}`;
const QUARTER = 15 * 60_000;

/** One of each kind that holds something that somebody wrote. */
const WRITTEN: Entry[] = [
  {
    kind: "text",
    text: SECRET,
    edited: true,
    deleted: false,
    history: [{ text: `${SECRET}!`, timestamp: 1 }],
    replyTo: null,
    reactions: [{ id: id(7), author: id(2), body: SECRET }],
  },
  {
    kind: "file",
    file: { fileId: "f", name: `${SECRET}.png`, size: 3, sha3: "a", deleted: false },
    replyTo: null,
    reactions: [{ id: id(7), author: id(2), body: SECRET }],
  },
  { kind: "document", document: { documentId: "d", name: SECRET, mimeType: "text/plain", removed: false } },
  { kind: "edit", target: id(3), text: SECRET },
  { kind: "reaction", target: id(3), body: SECRET },
];

/** An app with such messages, and a moderator's browser. */
async function withSecrets(blind = false) {
  const world = setUp({ blind });
  WRITTEN.forEach((entry, n) => {
    const message: MessageInfo = {
      id: id(0x100 + n),
      type: "x",
      author: id(2),
      authorName: "",
      body: SECRET,
      timestamp: n,
      parents: [],
      entry,
    };
    world.node.posts.push(message);
  });
  world.node.sent.forEach((file) => file.name = SECRET);
  const { secret } = await session(world.node, "moderator");
  const ask = (method: string, path: string, body?: unknown) =>
    world.app.request(path, {
      method,
      headers: { ...browser(secret), ...body !== undefined && { "content-type": "application/json" } },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  return { ...world, ask, asToken: world.ask };
}

/** Everything that a session can ask about the conversation, as one text. */
async function allThatIsTold(ask: (method: string, path: string) => Response | Promise<Response>): Promise<string> {
  const pages = ["", "/members", "/files", "/history", "/manage"].map((part) =>
    `/conversations/${CONVERSATION}${part}`
  );
  const paths = [
    `${PATH}/messages`,
    `${PATH}/messages?view=entries`,
    `${PATH}/files`,
    PATH,
    "/api/v1/search?q=the",
    ...pages,
  ];
  const answers = await Promise.all(paths.map(async (path) => {
    const response = await ask("GET", path);
    assert.equal(response.status, 200, path);
    return await response.text();
  }));
  return answers.join("\n");
}

Deno.test("a session is told who wrote and when, nothing of what: on no page and by no route", async () => {
  const { ask } = await withSecrets();
  const told = await allThatIsTold(ask);
  assert.ok(told.includes(id(0x100)));
  assert.ok(!told.includes("treasure"));
  await problemOf(ask("GET", `${PATH}/search?q=treasure`), 403);
  await problemOf(ask("GET", `${PATH}/export`), 403);
  await problemOf(ask("GET", `${PATH}/bundle`), 403);
});

Deno.test("with a reason it may read for a quarter of an hour, and the audit trail tells who, what and why", async () => {
  const { ask, node, clock } = await withSecrets();
  const revealed = await ask("POST", `${PATH}/reveal`, { reason: "  abuse was reported " });
  assert.equal(revealed.status, 201);
  assert.deepEqual(await revealed.json(), { until: Math.floor((clock.now() + QUARTER) / 1000) });
  const [entry] = node.admins.audit({ action: "conversation.reveal" }, 10);
  assert.deepEqual([entry.actor, entry.target, entry.detail.trim()], [
    "some moderator",
    CONVERSATION,
    "abuse was reported",
  ]);
  const { messages } = await (await ask("GET", `${PATH}/messages`)).json();
  assert.deepEqual(messages.map(({ entry }: { entry: Entry }) => entry), WRITTEN.toReversed());
  assert.equal((await (await ask("GET", `${PATH}/search?q=treasure`)).json()).results.length, 5);
  assert.match(await (await ask("GET", `${PATH}/export`)).text(), /treasure/);
  assert.equal(node.admins.audit({ action: "conversation.export" }, 10).length, 1);
  await clock.advance(QUARTER);
  assert.ok(!(await allThatIsTold(ask)).includes("treasure"));
});

Deno.test("a reason is needed, the right is for one session and one conversation, and can be given back", async () => {
  const { ask, app, node } = await withSecrets();
  for (const reason of ["", "  ", " x "]) await problemOf(ask("POST", `${PATH}/reveal`, { reason }), 422);
  await problemOf(ask("POST", `/api/v1/conversations/${id(5)}/reveal`, { reason: "curious" }), 404);
  assert.equal(node.admins.audit({ action: "conversation.reveal" }, 10).length, 0);
  await ask("POST", `${PATH}/reveal`, { reason: "abuse" });
  const other = browser((await session(node, "moderator", "another")).secret);
  const theirs = await app.request(`${PATH}/messages`, { headers: other });
  assert.ok(!(await theirs.text()).includes("treasure"));
  assert.equal((await ask("DELETE", `${PATH}/reveal`)).status, 204);
  assert.ok(!(await allThatIsTold(ask)).includes("treasure"));
});

Deno.test("events of messages and files are as silent", async () => {
  const { ask, app, node, stop } = await withSecrets();
  const stream = await ask("GET", "/api/v1/events");
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const [message] = node.posts;
  node.emit({ type: "message", data: { conversationId: CONVERSATION, message } });
  node.emit({ type: "file", data: { conversationId: CONVERSATION, file: node.sent[0] } });
  node.presence(2);
  let told = "";
  while (!told.includes("event: presence")) told += (await reader?.read())?.value;
  stop.abort();
  await reader?.cancel();
  assert.match(told, /event: message/);
  assert.match(told, /event: file/);
  assert.ok(!told.includes("treasure"));
  assert.ok(app);
});

Deno.test("a script with an owner's token reads as before, one with a moderator's does not", async () => {
  const { asToken, app, node } = await withSecrets();
  assert.match(await (await asToken("GET", `/conversations/${CONVERSATION}/messages`)).text(), /treasure/);
  const { secret } = node.admins.addToken("bot", "moderator", null, "test");
  const answer = await app.request(`${PATH}/messages`, { headers: { authorization: `Bearer ${secret}` } });
  assert.ok(!(await answer.text()).includes("treasure"));
});

Deno.test("on a blind node nobody reads, not even with the admin token", async () => {
  const { ask, asToken, node } = await withSecrets(true);
  await problemOf(ask("POST", `${PATH}/reveal`, { reason: "abuse was reported" }), 403);
  assert.equal(node.admins.audit({ action: "conversation.reveal" }, 10).length, 0);
  assert.ok(!(await allThatIsTold(ask)).includes("treasure"));
  assert.ok(!(await (await asToken("GET", `/conversations/${CONVERSATION}/messages`)).text()).includes("treasure"));
  await problemOf(asToken("GET", `/conversations/${CONVERSATION}/export`), 403);
});
