/**
 * The public face of the node's own name server, as Jami apps speak it (account.md 10.1): on a socket of its own, since the console is not public. It
 * knows nothing of the node but names.
 */

import { getLogger } from "@logtape/logtape";
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type Clock, systemClock } from "../core/base/clock.ts";
import { isDiskFull } from "../core/base/disk_full.ts";
import { LruMap, TokenBucket } from "../core/base/limits.ts";
import { networkOf } from "../core/base/network.ts";
import type { NameServerApi, RegistrationResult } from "../core/node_api.ts";
import { clientAddress } from "./client_address.ts";
import {
  MAX_REGISTRATION,
  NAME_CALLERS_KEPT,
  NAME_LOOK_UP_BURST,
  NAME_LOOK_UP_RATE,
  NAME_REGISTER_BURST,
  NAME_REGISTER_RATE,
} from "./constants.ts";

const log = getLogger(["kituo", "http"]);

/** What each result of a registration is called: daemons look at the status only. */
const ANSWERS = {
  "registered": [200, ""],
  "not a name": [400, "invalid name"],
  "incomplete": [400, "addr, owner, signature and publickey are needed"],
  "not signed": [401, "signature verification failed"],
  "taken": [403, "name or address already registered"],
  "busy": [503, "no more names can be registered now"],
} as const satisfies Record<RegistrationResult, readonly [number, string]>;

/** Builds the face of a name server. */
export function createNameServerApp(names: NameServerApi, clock: Clock = systemClock): Hono {
  const app = new Hono();
  const tooLarge = bodyLimit({
    maxSize: MAX_REGISTRATION,
    onError: (c) => c.json({ success: false, error: "too large" }, 413),
  });
  app.on("GET", "*", limited(clock, NAME_LOOK_UP_RATE, NAME_LOOK_UP_BURST));
  app.get("/name/:name", (c) => {
    const name = c.req.param("name");
    if (!/^[a-zA-Z0-9_-]{3,32}$/.test(name)) return c.json({ error: "invalid name" }, 400);
    const record = names.record(name);
    return record ? c.json(record) : c.json({ error: "name not registered" }, 404);
  });
  app.get("/addr/:address", (c) => {
    const [, address] = /^(?:0x)?([0-9a-fA-F]{40})$/.exec(c.req.param("address")) ?? [];
    if (!address) return c.json({ error: "invalid address" }, 400);
    const name = names.nameOf(address);
    return name === null ? c.json({ error: "address not registered" }, 404) : c.json({ name });
  });
  app.post("/name/:name", limited(clock, NAME_REGISTER_RATE, NAME_REGISTER_BURST), tooLarge, async (c) => {
    const body: unknown = await c.req.json().catch(() => null);
    const [status, error] = ANSWERS[await names.register(c.req.param("name"), body)];
    return status === 200 ? c.json({ success: true }) : c.json({ success: false, error }, status);
  });
  app.notFound((c) => c.json({ error: "not found" }, 404));
  app.onError((error, c) => {
    if (!isDiskFull(error)) log.error("the name server failed at a request: {error}", { error });
    return c.json({ error: "internal error" }, isDiskFull(error) ? 507 : 500);
  });
  return app;
}

/** Answers 429 to an address that asks too often. */
function limited(clock: Clock, rate: number, burst: number): MiddlewareHandler {
  const buckets = new LruMap<string, TokenBucket>(NAME_CALLERS_KEPT);
  return async (c, next) => {
    const network = networkOf(clientAddress(c));
    const bucket = buckets.get(network) ?? new TokenBucket(clock, rate, burst);
    buckets.set(network, bucket);
    if (bucket.take()) return await next();
    return c.json({ success: false, error: "too many requests" }, 429);
  };
}
