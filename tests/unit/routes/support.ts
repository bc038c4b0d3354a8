/** An app over a node in memory, and ways to ask it. */

import assert from "node:assert/strict";
import { createApp } from "../../../routes/app.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { FakeNode } from "./fake_node.ts";

export const TOKEN = "t0ken-".repeat(7);

/** A new app with what stands around it. */
export function setUp() {
  const node = new FakeNode();
  const clock = new VirtualClock();
  const stop = new AbortController();
  const app = createApp(node, { token: TOKEN, signal: stop.signal, clock });
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
