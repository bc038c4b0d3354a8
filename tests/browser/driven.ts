/**
 * A browser on the console of a node that real daemons reach: the node runs on a host of a test network, and the tests forward
 * a port of this machine to it, for people sign in under `localhost` only.
 */

import assert from "node:assert/strict";
import type { KituoProcess } from "../interop/driver/kituo.ts";
import type { Window } from "./console.ts";

/** A port of this machine that leads to a node's console. */
export interface Forwarded extends AsyncDisposable {
  /** "http://localhost:PORT" */
  url: string;
}

/** Forwards a port to the console of a node, also when the node is started again. */
export function forward(kituo: KituoProcess): Forwarded {
  const { hostname, port } = new URL(kituo.url);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.TcpConn>();
  const accepting = (async () => {
    for await (const ours of listener) {
      open.add(ours);
      join(ours, { hostname, port: Number(port) }, open).finally(() => open.delete(ours));
    }
  })();
  return {
    url: `http://localhost:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      for (const one of open) close(one);
    },
  };
}

async function join(ours: Deno.TcpConn, to: Deno.ConnectOptions, open: Set<Deno.TcpConn>): Promise<void> {
  try {
    const theirs = await Deno.connect(to);
    open.add(theirs);
    await Promise.all([ours.readable.pipeTo(theirs.writable), theirs.readable.pipeTo(ours.writable)]);
    open.delete(theirs);
  } catch {
    // either side may end at any time
  } finally {
    close(ours);
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // closed already
  }
}

/** The secret in the set-up link that the node printed. */
export async function setupSecret(kituo: KituoProcess): Promise<string> {
  const link = /\/setup\?secret=(\S+)/;
  return await kituo.until("the set-up link", () => {
    return Promise.resolve(kituo.lines.map((line) => link.exec(line)?.[1]).find((secret) => secret !== undefined));
  });
}

/** Makes the first admin of the node and signs the window in, as the page of the set-up does. */
export async function signUp(view: Window, url: string, kituo: KituoProcess): Promise<void> {
  await view.page.goto(`${url}/healthz`);
  const body = JSON.stringify({
    secret: await setupSecret(kituo),
    admin: { name: "Neema", password: "zebra monsoon ladder" },
  });
  const status = await view.page.evaluate(async (body) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch("/api/v1/setup", { method: "POST", headers, body });
    return `${response.status} ${await response.text()}`;
  }, body);
  assert.match(status, /^201 /, status);
  view.faults.length = 0;
}
