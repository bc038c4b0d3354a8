import assert from "node:assert/strict";
import { traced } from "../../../core/base/trace.ts";
import { systemClock } from "../../../core/base/clock.ts";
import { startTelemetry } from "../../../core/telemetry.ts";
import { setUp } from "../routes/support.ts";

interface SentSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: { code?: number };
  attributes: { key: string; value: unknown }[];
}

/** A collector that keeps what it is sent. */
function collector(status = 200) {
  const bodies: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    assert.equal(new URL(request.url).pathname, "/v1/traces");
    assert.equal(request.headers.get("content-type"), "application/json");
    bodies.push(await request.text());
    return new Response("{}", { status });
  });
  const spans = () => bodies.flatMap((body): SentSpan[] => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans);
  return { url: `http://127.0.0.1:${server.addr.port}`, bodies, spans, stop: () => server.shutdown() };
}

Deno.test("a collector is sent spans, one within the other, with how they ended", async () => {
  const there = collector();
  const stop = startTelemetry(there.url, systemClock);
  await traced("outer", { count: 3 }, async () => {
    await traced("inner", { ok: true }, () => Promise.resolve());
    await traced("bad", {}, () => Promise.reject(new TypeError("details"))).catch(() => {});
  });
  await stop();
  await there.stop();
  const [inner, bad, outer] = there.spans();
  assert.deepEqual([inner.name, bad.name, outer.name], ["inner", "bad", "outer"]);
  assert.match(outer.traceId, /^[0-9a-f]{32}$/);
  for (const one of [inner, bad]) assert.deepEqual([one.traceId, one.parentSpanId], [outer.traceId, outer.spanId]);
  assert.equal(outer.parentSpanId, undefined);
  assert.deepEqual(outer.attributes, [{ key: "count", value: { intValue: "3" } }]);
  assert.deepEqual(bad.status, { code: 2 });
  assert.deepEqual(bad.attributes, [{ key: "error.type", value: { stringValue: "TypeError" } }]);
  assert.ok(BigInt(outer.endTimeUnixNano) >= BigInt(outer.startTimeUnixNano));
  assert.match(there.bodies[0], /"service\.name","value":\{"stringValue":"kituo"\}/);
});

Deno.test("spans of requests are named by their route: secrets in addresses do not get out", async () => {
  const there = collector();
  const stop = startTelemetry(there.url, systemClock);
  const { app } = setUp();
  await app.request("/join/TOPSECRET");
  await app.request("/setup?secret=TOPSECRET");
  await app.request("/nothing/TOPSECRET", { headers: { authorization: "Bearer TOPSECRET" } });
  await stop();
  await there.stop();
  assert.deepEqual(there.spans().map(({ name }) => name).sort(), ["GET /join/:secret", "GET /setup", "GET none"]);
  assert.ok(!there.bodies.join().includes("TOPSECRET"));
});

Deno.test("a collector that is away or refuses costs nothing but the spans", async () => {
  const refusing = collector(500);
  for (const url of [refusing.url, "http://127.0.0.1:1"]) {
    const stop = startTelemetry(url, systemClock);
    assert.equal(await traced("work", {}, () => Promise.resolve(7)), 7);
    await stop();
  }
  await refusing.stop();
  assert.equal(refusing.bodies.length, 1);
});

Deno.test("without a collector work is done as it is", async () => {
  assert.equal(await traced("work", {}, () => Promise.resolve(7)), 7);
});
