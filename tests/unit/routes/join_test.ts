import assert from "node:assert/strict";
import { networkOf } from "../../../core/base/network.ts";
import { JOIN_BURST, LINK_SECONDS, LINK_USES, MAX_JOIN_BODY, MAX_LINK_USES } from "../../../routes/constants.ts";
import { CONVERSATION, id, SECRET } from "./fake_node.ts";
import { problemOf, setUp } from "./support.ts";

const LINK = `/conversations/${CONVERSATION}/join-link`;
const PAGE = `/join/${SECRET}`;

/** An app whose conversation has a join link. */
async function withLink() {
  const scene = setUp();
  assert.equal((await scene.ask("POST", LINK, {})).status, 201);
  scene.node.deeds.length = 0;
  /** Sends the form of a page, as a browser does. */
  const send = (jamiId: string, headers: Record<string, string> = {}, env?: object) =>
    scene.app.request(
      PAGE,
      {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
        body: `jamiId=${encodeURIComponent(jamiId)}`,
      },
      env,
    );
  const post = (body: unknown, type = "application/json") =>
    scene.app.request(PAGE, { method: "POST", headers: { "content-type": type }, body: JSON.stringify(body) });
  return { ...scene, send, post };
}

Deno.test("a join link is made with terms, told of without its secret, and ended", async () => {
  const { ask, node } = setUp();
  await problemOf(ask("GET", LINK), 404);
  await problemOf(ask("DELETE", LINK), 404);
  const made = await (await ask("POST", LINK, {})).json();
  assert.equal(made.path, `/join/${SECRET}`);
  assert.deepEqual([made.maxUses, made.expires - made.created], [LINK_USES, LINK_SECONDS]);
  const told = await (await ask("GET", LINK)).json();
  assert.deepEqual(Object.keys(told).sort(), ["created", "expires", "maxUses", "uses"]);
  assert.equal((await (await ask("POST", LINK, { maxUses: 1, expiresIn: 60 })).json()).maxUses, 1);
  for (const bad of [{ maxUses: 0 }, { maxUses: MAX_LINK_USES + 1 }, { expiresIn: 1 }, { expiresIn: 1e9 }, { x: 1 }]) {
    await problemOf(ask("POST", LINK, bad), 422);
  }
  assert.equal((await ask("DELETE", LINK)).status, 204);
  await problemOf(ask("GET", LINK), 404);
  await problemOf(ask("POST", `/conversations/${id(5)}/join-link`, {}), 404);
  assert.deepEqual(node.deeds, ["link by admin", "link by admin", "no link by admin"]);
});

Deno.test("the join page asks for a Jami ID: without scripts, nothing of the group unescaped, the secret kept here", async () => {
  const { app } = await withLink();
  const page = await app.request(PAGE);
  assert.deepEqual([page.status, page.headers.get("cache-control")], [200, "no-store"]);
  assert.equal(
    page.headers.get("content-security-policy"),
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  );
  assert.equal(page.headers.get("referrer-policy"), "same-origin");
  const text = await page.text();
  assert.match(text, /<form method="post">/);
  assert.ok(
    text.includes("Soko &lt;b&gt;") && text.includes("Kituo &lt;i&gt;") && text.includes("a &amp; &quot;b&quot;"),
  );
  assert.ok(text.includes(id(9)), "the node's Jami ID, to be added as a contact");
  assert.doesNotMatch(text, /<b>|<i>|<script|<style|\sstyle=|\son\w+=/);
});

Deno.test("a form and JSON get an account invited; a member is told so", async () => {
  const { send, post, node } = await withLink();
  const invited = await send(` jami:${id(0xabc).toUpperCase()} `, {}, { remoteAddr: { hostname: "192.0.2.7" } });
  assert.deepEqual([invited.status, invited.headers.get("content-type")], [200, "text/html; charset=UTF-8"]);
  assert.match(await invited.text(), /You are invited[\s\S]*Accept/);
  assert.match(await (await send(id(2))).text(), /already/);
  const answer = await post({ jamiId: id(0xdef) });
  assert.deepEqual([answer.status, await answer.json()], [200, { result: "invited", inviter: id(9) }]);
  assert.deepEqual(node.deeds, [`join ${id(0xabc)} 192.0.2.7`, `join ${id(2)}`, `join ${id(0xdef)}`]);
});

Deno.test("what a join link refuses is said on a page, and as a problem", async () => {
  const { app, send, post, node } = await withLink();
  for (const [jamiId, status] of [["me", 400], [id(9), 400], [id(0xbad), 403], [id(0xb), 429]] as const) {
    const page = await send(jamiId);
    assert.equal(page.status, status, jamiId);
    assert.match(await page.text(), /<h1>/);
    await problemOf(post({ jamiId }), status);
  }
  assert.match(await (await send("me")).text(), /role="alert"[\s\S]*<form/);
  for (const body of [null, [], {}, { jamiId: 1 }, { jamiId: id(3), more: 1 }]) await problemOf(post(body), 400);
  await problemOf(post({ jamiId: id(3) }, "text/plain"), 415);
  await problemOf(post({ jamiId: "x".repeat(MAX_JOIN_BODY) }), 413);
  await problemOf(app.request(PAGE, { method: "PUT" }), 405);
  for (const origin of ["https://elsewhere.example", "null"]) assert.equal((await send(id(3), { origin })).status, 403);
  assert.equal((await send(id(3), { host: "kituo.example", origin: "https://kituo.example" })).status, 200);
  node.link = null;
  assert.equal((await app.request(PAGE)).status, 404);
  assert.equal((await send(id(3))).status, 404);
  await problemOf(post({ jamiId: id(3) }), 404);
  assert.deepEqual(node.deeds, [`join ${id(3)}`]);
});

Deno.test("join pages are counted for each network", async () => {
  const { app, clock } = await withLink();
  const get = (hostname: string) => app.request(PAGE, {}, { remoteAddr: { hostname } });
  for (let i = 0; i < JOIN_BURST; i++) assert.equal((await get("2001:db8::1")).status, 200);
  assert.equal((await get("2001:db8::2")).status, 429);
  assert.equal((await get("2001:db8:0:1::1")).status, 200);
  assert.equal((await get("192.0.2.1")).status, 200);
  await clock.advance(60_000);
  assert.equal((await get("2001:db8::2")).status, 200);
});

Deno.test("the network of an address: all of IPv4, the first half of IPv6", () => {
  const networks = {
    "192.0.2.1": "192.0.2.1",
    "": "",
    "::1": "0:0:0:0",
    "2001:db8::1": "2001:db8:0:0",
    "::ffff:192.0.2.1": "192.0.2.1",
  };
  for (const [address, network] of Object.entries(networks)) assert.equal(networkOf(address), network);
  assert.equal(networkOf("FE80::1%eth0"), networkOf("fe80:0:0:0:a:b:c:d"));
  assert.equal(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2");
});

Deno.test("the join page speaks the language of the browser, and shows marks of direction in no title", async () => {
  const { app, send } = await withLink();
  const french = await (await app.request(PAGE, { headers: { "accept-language": "fr-CA, en;q=0.5" } })).text();
  assert.match(french, /<html lang="fr">[^]*Votre identifiant Jami/);
  assert.match(french, /<bdi>Soko &lt;b&gt;<\/bdi>/);
  assert.match(await (await send("me", { "accept-language": "fr" })).text(), /n’est pas un identifiant Jami/);
  assert.match(await (await app.request(PAGE)).text(), /<html lang="en">/);
});
