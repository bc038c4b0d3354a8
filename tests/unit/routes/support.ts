/** An app over a node in memory, and ways to ask it. */

import assert from "node:assert/strict";
import { type AppOptions, createApp } from "../../../routes/app.ts";
import type { Role } from "../../../core/store/admins.ts";
import { SESSION_COOKIE } from "../../../routes/session_cookie.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { FakeNode } from "./fake_node.ts";

export const TOKEN = "t0ken-".repeat(7);

/** A new app with what stands around it. */
export function setUp(options: Pick<AppOptions, "origins" | "proxies" | "blind"> = {}) {
  const clock = new VirtualClock();
  const node = new FakeNode(clock);
  const stop = new AbortController();
  const app = createApp(node, { ...options, token: TOKEN, signal: stop.signal, clock });
  /** Asks under /api/v1 with the token; `body` is sent as JSON. */
  const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const json = body === undefined ? undefined : { "content-type": "application/json" };
    return app.request(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...json, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  };
  return { node, clock, stop, app, ask };
}

/** Where the tests' requests without a host go. */
export const SITE = { origin: "http://localhost", rpId: "localhost" };

/** A password that is good enough. */
export const PASSWORD = "zebra monsoon ladder";

/** A signed-in admin: the secret of the session, and the id. Without any owner there is one more. */
export async function session({ admins }: FakeNode, role: Role, name = `some ${role}`) {
  if (admins.setupNeeded) {
    await admins.setUp(admins.newSetupSecret() ?? "", { name: "first owner", password: PASSWORD }, SITE);
  }
  const { secret: link } = admins.invite(role, 3_600_000, "test");
  const { secret, actor } = await admins.accept(link, { name, password: PASSWORD }, SITE);
  return { secret, id: actor.admin ?? "" };
}

/** The headers that a browser sends with a request of the console's own pages. */
export function browser(secret: string): Record<string, string> {
  return { cookie: `${SESSION_COOKIE}=${secret}`, origin: "http://localhost", "sec-fetch-site": "same-origin" };
}

/** Checks that a response tells of a problem in the one form there is; returns what it says. */
export async function problemOf(response: Response | Promise<Response>, status: number): Promise<string> {
  const answer = await response;
  assert.equal(answer.status, status);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  const problem = await answer.json();
  assert.deepEqual(Object.keys(problem).sort(), ["detail", "status", "title", "type"]);
  assert.equal(problem.status, status);
  assert.equal(problem.type, "about:blank");
  assert.notEqual(problem.title, "Error", "the status has no title of its own");
  return problem.detail;
}
