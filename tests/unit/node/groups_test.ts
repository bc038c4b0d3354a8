import assert from "node:assert/strict";
import { base64, type Bytes } from "../../../core/base/bytes.ts";
import { systemClock } from "../../../core/base/clock.ts";
import { parseConfig } from "../../../core/config.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import type { ConversationDetail } from "../../../core/node_api.ts";
import { Node } from "../../../core/node.ts";
import { conversationsPath, databasePath, repositoryPath } from "../../../core/store/places.ts";
import { openStore } from "../../../core/store/store.ts";
import { createApp } from "../../../routes/app.ts";
import { testIdentity } from "../../support/people.ts";

const TOKEN = "t".repeat(43);
const kituo = await testIdentity(Date.now());

type Ask = (method: string, path: string, body?: unknown) => Promise<{ status: number; answer: unknown }>;

/** Runs `test` with a real node behind its API; nobody else is there. */
async function withNode(test: (ask: Ask, node: Node, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kituo-groups-" });
  const args = [
    "--data",
    folder,
    "--bootstrap",
    "none",
    "--dht-port",
    "0",
    "--peer-port",
    "0",
    "--offer-contact",
    "false",
  ];
  const config = parseConfig(args, () => undefined, () => undefined);
  const node = new Node(config, kituo, openStore(databasePath(folder)), writeVcard("Kituo"));
  await node.start();
  const app = createApp(node, { token: TOKEN, signal: new AbortController().signal, clock: systemClock });
  try {
    await test(
      async (method, path, body) => {
        const response = await app.request(`/api/v1${path}`, {
          method,
          headers: {
            authorization: `Bearer ${TOKEN}`,
            ...body === undefined ? {} : { "content-type": "application/json" },
          },
          body: body === undefined ? undefined : JSON.stringify(body),
        });
        const text = await response.text();
        return { status: response.status, answer: text === "" ? null : JSON.parse(text) };
      },
      node,
      folder,
    );
  } finally {
    await node.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function newGroup(ask: Ask, more: object = {}): Promise<ConversationDetail> {
  const { status, answer } = await ask("POST", "/conversations", { mode: "invites-only", title: "Soko", ...more });
  assert.equal(status, 201, JSON.stringify(answer));
  return answer as ConversationDetail; // reason: what the API's description promises
}

/** A picture of one colour. */
function png(width: number, height: number): Bytes {
  const bytes = Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52],
    ...[0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82],
  ]);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return bytes;
}

Deno.test("a group's picture must be one, and not too large to be shown", () =>
  withNode(async (ask) => {
    const group = await newGroup(ask, { avatar: base64(png(64, 64)) });
    assert.equal(group.avatar, base64(png(64, 64)));
    const avatar = async (data: Bytes) =>
      (await ask("PATCH", `/conversations/${group.id}`, { avatar: base64(data) })).status;
    assert.equal(await avatar(png(2048, 2048)), 200);
    const bad = [
      png(2049, 1),
      png(0, 5),
      png(64, 64).slice(0, -1),
      new TextEncoder().encode("<svg/>"),
      png(1, 1).slice(0, 9),
    ];
    for (const data of bad) assert.equal(await avatar(data), 422);
    const jpeg = (...more: number[]) => Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, ...more, 0xff, 0xd9]);
    assert.equal(await avatar(jpeg(0xff, 0xc0, 0, 8, 8, 0, 32, 0, 32, 1)), 200);
    assert.equal(await avatar(jpeg(0xff, 0xc0, 0, 8, 8, 0xff, 32, 0, 32, 1)), 422);
    assert.equal(await avatar(jpeg()), 422);
    assert.equal((await ask("POST", "/conversations", { mode: "public", avatar: "AAAA" })).status, 422);
    assert.equal((await ask("PATCH", `/conversations/${group.id}`, { avatar: "" })).status, 200);
  }));

Deno.test("the default host is a device of a member, or refused", () =>
  withNode(async (ask, node) => {
    const { id } = await newGroup(ask);
    const host = async (jamiId: string, deviceId: string) =>
      (await ask("PATCH", `/conversations/${id}`, { defaultHost: { jamiId, deviceId } })).status;
    const { jamiId, deviceId } = node.info();
    assert.equal(await host("a".repeat(40), deviceId), 422);
    assert.equal(await host(jamiId, "a".repeat(64)), 422);
    assert.equal(await host(jamiId, deviceId), 200);
    const { answer } = await ask("GET", `/conversations/${id}`);
    assert.deepEqual((answer as ConversationDetail).defaultHost, { jamiId, deviceId }); // reason: as above
    assert.equal((await ask("POST", `/conversations/${id}/members`, { jamiId: "b".repeat(40) })).status, 201);
    assert.equal(await host("b".repeat(40), "b".repeat(64)), 422, "who is only invited hosts nothing");
  }));

Deno.test("blank titles and messages are refused, blanks around them are not kept", () =>
  withNode(async (ask) => {
    const { id, title } = await newGroup(ask, { title: "  Soko " });
    assert.equal(title, "Soko");
    for (const blank of [" ", "\t", "\u00a0\u2003", "\u200b"]) {
      assert.equal((await ask("POST", "/conversations", { mode: "public", title: blank })).status, 422);
      assert.equal((await ask("PATCH", `/conversations/${id}`, { title: blank })).status, 422);
      assert.equal((await ask("PATCH", `/conversations/${id}`, { description: blank })).status, 422);
      assert.equal((await ask("POST", `/conversations/${id}/messages`, { body: blank })).status, 422);
    }
    assert.equal((await ask("POST", "/conversations", { mode: "public", title: "" })).status, 422);
    assert.equal((await ask("PATCH", `/conversations/${id}`, { title: "" })).status, 200, "it takes the title away");
    assert.equal((await ask("POST", `/conversations/${id}/messages`, { body: " 👍\n" })).status, 201);
  }));

Deno.test("many groups made at once say no time to come, and can be told apart", () =>
  withNode(async (ask) => {
    const groups = await Promise.all(Array.from({ length: 8 }, () => newGroup(ask)));
    assert.equal(new Set(groups.map(({ id }) => id)).size, 8);
    for (const { lastActivity } of groups) assert.ok((lastActivity ?? Infinity) <= Date.now() / 1000);
  }));

Deno.test("of a conversation that was deleted every route says 404", () =>
  withNode(async (ask) => {
    const { id } = await newGroup(ask);
    assert.equal((await ask("POST", `/conversations/${id}/leave`)).status, 204);
    assert.equal((await ask("DELETE", `/conversations/${id}`)).status, 204);
    const { answer } = await ask("GET", "/openapi.json");
    const { paths } = answer as { paths: Record<string, Record<string, unknown>> }; // reason: it is OpenAPI
    const bodies: Record<string, unknown> = {
      "post /messages": { body: "x" },
      "post /members": { jamiId: "b".repeat(40) },
      "patch ": { title: "x" },
      "patch /file-rules": { quota: 1 },
      "post /join-link": {},
      "post /reveal": { reason: "a test asks" },
      "post /refused/{commit}/override": { reason: "a test asks" },
    };
    const routes = Object.entries(paths).filter(([path]) => path.startsWith("/api/v1/conversations/{id}"))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method, path.slice(26)]));
    assert.ok(routes.length > 15);
    for (const [method, path] of routes) {
      const there = path.replace("{deviceId}", "d".repeat(64)).replace(/\{\w+\}/g, "b".repeat(40));
      const query = path === "/search" ? "?q=x" : "";
      const { status } = await ask(
        method.toUpperCase(),
        `/conversations/${id}${there}${query}`,
        bodies[`${method} ${path}`],
      );
      assert.equal(status, 404, `${method} ${path}`);
    }
  }));

Deno.test("who was in a group that was left is still told: without the node, and nothing of what devices lack", () =>
  withNode(async (ask) => {
    const { id } = await newGroup(ask);
    const path = `/conversations/${id}`, invited = "b".repeat(40);
    assert.equal((await ask("POST", `${path}/members`, { jamiId: invited })).status, 201);
    assert.equal((await ask("POST", `${path}/leave`)).status, 204);
    const { answer } = await ask("GET", path);
    const { state, members, memberCount } = answer as ConversationDetail; // reason: as above
    assert.deepEqual([state, memberCount], ["left", 1]);
    assert.deepEqual(members.map(({ jamiId, role, devices }) => [jamiId, role, devices]), [[invited, "invited", []]]);
    assert.deepEqual((await ask("GET", `${path}/members`)).answer, { members, next: null, total: 1 });
  }));

Deno.test("what is here of a group that was left can be read, searched and exported, and nothing else", () =>
  withNode(async (ask, node, folder) => {
    const { id } = await newGroup(ask);
    const path = `/conversations/${id}`;
    assert.equal((await ask("POST", `${path}/messages`, { body: "bread tomorrow" })).status, 201);
    assert.equal((await ask("POST", `${path}/leave`)).status, 204);
    const left = await ask("GET", path);
    const { state, lastActivity } = left.answer as ConversationDetail; // reason: as above
    assert.equal(state, "left");
    assert.notEqual(lastActivity, null);
    const texts = async (where: string) => {
      const { status, answer } = await ask("GET", where);
      assert.equal(status, 200, where);
      return JSON.stringify(answer).includes("bread tomorrow");
    };
    assert.ok(await texts(`${path}/messages`));
    assert.ok(await texts(`${path}/export`));
    assert.ok(await texts(`${path}/search?q=bread`));
    assert.ok(!await texts("/search?q=bread"), "a search of everything does not look where the node is no more");
    assert.equal((await ask("GET", `${path}/files`)).status, 200);
    let bundle = "";
    for await (const part of node.bundle(id)) bundle += new TextDecoder("latin1").decode(part);
    assert.match(bundle, /^# v2 git bundle\n[0-9a-f]{40} HEAD\n/);
    assert.equal((await ask("POST", `${path}/messages`, { body: "more" })).status, 409);
    const exports = node.admins.audit({ action: "conversation.export" }, 10).length;
    await Deno.remove(repositoryPath(conversationsPath(folder), id), { recursive: true });
    assert.equal((await ask("GET", `${path}/bundle`)).status, 500, "before an answer begins");
    assert.equal(node.admins.audit({ action: "conversation.export" }, 10).length, exports, "nothing was taken");
  }));
