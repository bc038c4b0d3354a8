import assert from "node:assert/strict";
import { id } from "./fake_node.ts";
import { browser, problemOf, session, setUp, TOKEN } from "./support.ts";

/** Reads an event stream block by block. */
class Blocks {
  readonly #reader;
  #text = "";

  constructor(response: Response) {
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
    assert.ok(response.body);
    this.#reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next block; null at the end of the stream. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return block;
      }
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#text += value;
    }
  }

  /** The next block as an event. */
  async event(): Promise<{ type: string; data: unknown; id: string }> {
    const block = await this.next() ?? "";
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
    return { type: field("event"), data: JSON.parse(field("data")), id: field("id") };
  }

  close(): Promise<void> {
    return this.#reader.cancel();
  }
}

async function open(ask: ReturnType<typeof setUp>["ask"], lastId?: string): Promise<Blocks> {
  const blocks = new Blocks(await ask("GET", "/events", undefined, lastId ? { "last-event-id": lastId } : {}));
  assert.match(await blocks.next() ?? "", /^retry: \d+$/);
  return blocks;
}

Deno.test("events arrive as they happen, with type, data and growing ids", async () => {
  const { ask, node, stop } = setUp();
  const stream = await open(ask);
  node.presence(1);
  node.emit({ type: "status", data: { ready: true, dht: "connected" } });
  const first = await stream.event(), second = await stream.event();
  assert.deepEqual([first.type, first.data], ["presence", { jamiId: id(1), online: true }]);
  assert.deepEqual([second.type, second.data], ["status", { ready: true, dht: "connected" }]);
  assert.notEqual(first.id, second.id);
  stop.abort();
  assert.equal(await stream.next(), null);
});

Deno.test("a posted message is told of", async () => {
  const { ask, stop } = setUp();
  const stream = await open(ask);
  const message = await (await ask("POST", `/conversations/${id(0xc0)}/messages`, { body: "a\n\nb: é" })).json();
  assert.deepEqual((await stream.event()).data, { conversationId: id(0xc0), message });
  stop.abort();
  await stream.close();
});

Deno.test("an idle stream carries a comment every 15 seconds", async () => {
  const { ask, clock, stop } = setUp();
  const stream = await open(ask);
  await clock.advance(14_999);
  let come = false;
  const comment = stream.next().finally(() => come = true);
  await clock.advance(0);
  assert.equal(come, false);
  await clock.advance(1);
  assert.match(await comment ?? "", /^: /);
  await clock.advance(15_000);
  assert.match(await stream.next() ?? "", /^: /);
  stop.abort();
  await stream.close();
});

Deno.test("Last-Event-ID brings what was missed, once and in order", async () => {
  const { ask, node, stop } = setUp();
  const first = await open(ask);
  node.presence(1);
  const { id: lastId } = await first.event();
  await first.close();
  node.presence(2);
  node.presence(3);
  const again = await open(ask, lastId);
  assert.deepEqual((await again.event()).data, { jamiId: id(2), online: true });
  assert.deepEqual((await again.event()).data, { jamiId: id(3), online: true });
  node.presence(4);
  assert.deepEqual((await again.event()).data, { jamiId: id(4), online: true });
  stop.abort();
  await again.close();
});

Deno.test("a page knows after which event its stream begins, so that nothing is missed before it lives", async () => {
  const { app, ask, node, stop } = setUp();
  node.presence(1);
  const headers = { ...browser((await session(node, "owner")).secret), accept: "text/html" };
  const html = await (await app.request("/requests", { headers })).text();
  const [, since] = /<body data-event="([^"]+)"/.exec(html) ?? [];
  node.presence(2);
  const open = async (headers: Record<string, string> = {}) => {
    const blocks = new Blocks(await ask("GET", `/events?since=${since}`, undefined, headers));
    await blocks.next();
    return blocks;
  };
  const stream = await open();
  const { id: lastId, data } = await stream.event();
  assert.deepEqual(data, { jamiId: id(2), online: true });
  node.presence(3);
  const again = await open({ "last-event-id": lastId });
  assert.deepEqual((await again.event()).data, { jamiId: id(3), online: true }, "what was heard since counts for more");
  stop.abort();
  await stream.close();
  await again.close();
});

Deno.test("who missed more than is kept, or comes from another run, is told to read everything again", async () => {
  const { ask, node, stop } = setUp();
  const first = await open(ask);
  node.presence(0);
  const { id: lastId } = await first.event();
  await first.close();
  for (let n = 0; n < 1_001; n++) node.presence(n);
  for (const old of [lastId, "otherrun-1", "nonsense", lastId.replace(/\d+$/, "999999"), `${lastId}0000000000000000`]) {
    const stream = await open(ask, old);
    assert.equal((await stream.event()).type, "reset", old);
    node.presence(7);
    assert.deepEqual((await stream.event()).data, { jamiId: id(7), online: true });
    await stream.close();
  }
  stop.abort();
});

Deno.test("a watcher that does not read costs the ring only, and is told of the gap", async () => {
  const { ask, node, stop } = setUp();
  const slow = await open(ask);
  for (let n = 0; n < 10; n++) node.presence(n);
  assert.equal((await slow.event()).type, "presence");
  for (let n = 0; n < 5_000; n++) node.presence(n);
  let last = await slow.event();
  for (let read = 1; last.type !== "reset"; read++) {
    assert.ok(read < 10, "more was kept for the watcher than had been sent to it");
    last = await slow.event();
  }
  node.presence(6);
  assert.deepEqual((await slow.event()).data, { jamiId: id(6), online: true });
  stop.abort();
  await slow.close();
});

Deno.test("a closed stream gives its place back; too many are refused", async () => {
  const { ask, stop } = setUp();
  const streams = [];
  for (let n = 0; n < 100; n++) streams.push(await open(ask));
  assert.match(await problemOf(ask("GET", "/events"), 503), /100/);
  await streams[0].close();
  streams[0] = await open(ask);
  await problemOf(ask("GET", "/events"), 503);
  stop.abort();
  for (const stream of streams) await stream.close();
});

Deno.test("when the node stops, streams end and the node is no longer watched", async () => {
  const { ask, node, stop } = setUp();
  assert.equal(node.watchers, 1);
  const stream = await open(ask);
  stop.abort();
  assert.equal(await stream.next(), null);
  assert.equal(node.watchers, 0);
  await problemOf(ask("GET", "/events"), 503);
});

Deno.test("over a real socket: the server shuts down at once, and a client that vanishes is noticed", async () => {
  const { app, node, stop } = setUp();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
  const url = `http://127.0.0.1:${server.addr.port}/api/v1/events`;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const gone = new AbortController();
  const lost = await fetch(url, { headers, signal: gone.signal });
  const stays = new Blocks(await fetch(url, { headers }));
  await stays.next();
  gone.abort();
  await assert.rejects(lost.text());
  node.presence(1);
  assert.equal((await stays.event()).type, "presence");
  stop.abort();
  assert.equal(await stays.next(), null);
  await server.shutdown();
});
