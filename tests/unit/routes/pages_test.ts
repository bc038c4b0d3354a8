import assert from "node:assert/strict";
import { languageFor } from "../../../routes/texts/index.ts";
import { CONVERSATION, id } from "./fake_node.ts";
import { browser, session, setUp } from "./support.ts";

const OF_CONVERSATION = ["", "/members", "/files", "/history", "/refused", "/manage"].map((part) =>
  `/conversations/${CONVERSATION}${part}`
);
const FOR_OWNERS = ["/audit", "/settings/devices", "/settings/admins"];
const FOR_MODERATORS = ["/conversations", "/requests", ...OF_CONVERSATION];
const ALL = ["/", "/account", ...FOR_MODERATORS, ...FOR_OWNERS];

/** The headers of a browser that wants to see a page. */
function reading(secret: string): Record<string, string> {
  return { ...browser(secret), accept: "text/html" };
}

Deno.test("every page is shown to an owner, and leads everybody else to the sign-in", async () => {
  const { app, node } = setUp();
  const headers = reading((await session(node, "owner")).secret);
  for (const path of ALL) {
    const page = await app.request(path, { headers });
    const html = await page.text();
    assert.equal(page.status, 200, path);
    assert.match(html, /^<!doctype html><html lang="en">/);
    assert.equal([...html.matchAll(/<h1\b/g)].length, 1, `${path} has one heading of the first rank`);
    assert.equal(page.headers.get("cache-control"), "no-store");
    assert.ok(!/ style=|<style| on[a-z]+=/.test(html), `${path} has what its policy blocks`);
    const stranger = await app.request(path, { headers: { accept: "text/html" } });
    assert.equal(stranger.status, 303, path);
    assert.equal(stranger.headers.get("location"), `/sign-in?next=${encodeURIComponent(path)}`);
    assert.equal(await stranger.text(), "");
  }
});

Deno.test("a viewer sees the node's health and no more", async () => {
  const { app, node } = setUp();
  const headers = reading((await session(node, "viewer")).secret);
  const first = await (await app.request("/", { headers })).text();
  assert.match(first, /Relaying 1 conversation for 1 person; 3 messages wait for 1 device\./);
  assert.ok(!first.includes('href="/conversations"'));
  for (const path of [...FOR_MODERATORS, ...FOR_OWNERS]) {
    assert.equal((await app.request(path, { headers })).status, 403, path);
  }
  const moderator = reading((await session(node, "moderator")).secret);
  for (const path of FOR_OWNERS) assert.equal((await app.request(path, { headers: moderator })).status, 403, path);
  // of the settings only what Kituo is
  const links = [
    ...(await (await app.request("/", { headers: moderator })).text()).matchAll(/href="(\/settings[^"]*)"/g),
  ];
  assert.deepEqual([...new Set(links.map(([, href]) => href))], ["/settings/about"]);
});

Deno.test("what somebody else wrote cannot become markup: titles, names, and what pages carry for their scripts", async () => {
  const { app, node } = setUp();
  const evil = "</script><script>alert(1)</script><b>";
  await node.updateGroup(CONVERSATION, { title: evil, description: evil });
  const [request] = node.asked.values();
  node.asked.set(request.id, { ...request, title: evil });
  node.admins.note({ actor: evil, address: evil, action: evil, target: evil, detail: evil });
  node.admins.addToken(evil, "viewer", null, evil);
  const headers = reading((await session(node, "owner")).secret);
  for (const path of ALL) {
    const html = await (await app.request(path, { headers })).text();
    assert.ok(!html.includes("<script>alert") && !html.includes("<b>"), path);
  }
});

Deno.test("a page that is not there says so as a page to people, as a problem to programs", async () => {
  const { app, node } = setUp();
  const headers = reading((await session(node, "moderator")).secret);
  for (const path of ["/nothing", `/conversations/${id(5)}`, "/conversations/x/members"]) {
    const page = await app.request(path, { headers });
    assert.equal(page.status, 404, path);
    assert.match(await page.text(), /There is nothing here/);
  }
  const plain = await app.request("/nothing");
  assert.equal(plain.headers.get("content-type"), "application/problem+json");
});

Deno.test("language and colours are remembered, and lead back to a page of this site only", async () => {
  const { app, node } = setUp();
  const headers = reading((await session(node, "moderator")).secret);
  const choose = (fields: Record<string, string>) =>
    app.request("/preferences", {
      method: "POST",
      headers: { ...headers, "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams(fields).toString(),
    });
  const chosen = await choose({ theme: "dark", lang: "fr", back: "/requests" });
  assert.equal(chosen.headers.get("location"), "/requests");
  const cookies = chosen.headers.getSetCookie().map((cookie) => cookie.split(";")[0]);
  const page = await app.request("/requests", {
    headers: { ...headers, cookie: [headers.cookie, ...cookies].join("; ") },
  });
  assert.match(await page.text(), /<html lang="fr" data-theme="dark">.*<h1[^>]*>Demandes</s);
  for (const back of ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a b"]) {
    assert.equal((await choose({ theme: "dark", back })).headers.get("location"), "/", back);
  }
  assert.deepEqual((await choose({ theme: "pink", lang: "xx", back: "/" })).headers.getSetCookie(), []);
});

Deno.test("the language is the chosen one, else the best that the browser names, else English", () => {
  assert.equal(languageFor("fr", "en"), "fr");
  assert.equal(languageFor(undefined, "de, fr-CA;q=0.8, en;q=0.5"), "fr");
  assert.equal(languageFor("sw", "en-GB;q=0.4, fr;q=0"), "en");
  assert.equal(languageFor(undefined, undefined), "en");
});
