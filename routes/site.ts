/** Under which origin a browser has the console open: sessions and passkeys are bound to it. */

import { HTTPException } from "hono/http-exception";
import type { Context } from "hono";
import type { Site } from "../core/admins/passkeys.ts";

/** Hosts of this machine: browsers trust them as they trust TLS (Secure Contexts, 3.1). */
const LOOPBACK = /^(localhost|[a-z0-9-]+\.localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

const ADDRESS = /^(\d+\.\d+\.\d+\.\d+|\[.*\])$/;

/** Finds the site of a request. */
export class Sites {
  readonly #byHost: Map<string, string>;

  /** @param origins where a proxy puts the console under TLS: "https://console.example" */
  constructor(origins: readonly string[]) {
    this.#byHost = new Map(origins.map((origin) => [new URL(origin).host, origin]));
  }

  /** null = a place where nobody can sign in: a browser would send passwords and cookies in the clear. */
  of(c: Context): Site | null {
    const url = URL.parse(`http://${c.req.header("host") ?? new URL(c.req.url).host}`);
    if (!url) return null;
    const origin = this.#byHost.get(url.host) ?? (LOOPBACK.test(url.hostname) ? url.origin : undefined);
    return origin === undefined ? null : { origin, rpId: ADDRESS.test(url.hostname) ? null : url.hostname };
  }

  /** @throws {HTTPException} 403 where nobody can sign in */
  need(c: Context): Site {
    const site = this.of(c);
    if (site) return site;
    throw new HTTPException(403, { message: NOT_HERE });
  }
}

/** What is said where nobody can sign in. */
export const NOT_HERE = "Signing in needs TLS: open the console under an https origin that --console-origin names, " +
  "or on the node's own machine under http://localhost (for example through an SSH tunnel). " +
  "Under plain HTTP elsewhere, passwords and cookies could be read on the way.";
