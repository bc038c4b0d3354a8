/** Puts the HTTP face on a socket. */

import { getLogger } from "@logtape/logtape";
import { KituoError, messageOf } from "../core/base/errors.ts";
import { systemClock } from "../core/base/clock.ts";
import { within } from "../core/base/limits.ts";
import { formatHostPort, type HostPort } from "../core/config.ts";
import type { NodeApi } from "../core/node_api.ts";
import { createApp } from "./app.ts";
import { SHUTDOWN_PATIENCE } from "./constants.ts";

const log = getLogger(["kituo", "http"]);

/** The HTTP face cannot listen where it should. */
export class ListenError extends KituoError {}

/** A listening HTTP face. */
export interface HttpFace {
  /** "http://HOST:PORT" with the port it really has */
  readonly url: string;
  /** Takes no more connections, ends event streams, and waits {@link SHUTDOWN_PATIENCE} for other answers at most. */
  close(): Promise<void>;
  /** Resolves when the last connection has ended after a close. */
  readonly finished: Promise<void>;
}

/**
 * Serves a node at `at`; port 0 takes any.
 * @throws {ListenError} when the address cannot be had
 */
export function serve(node: NodeApi, token: string, at: HostPort): HttpFace {
  const endStreams = new AbortController();
  const app = createApp(node, { token, signal: endStreams.signal });
  const server = listen(at, app.fetch);
  return {
    url: `http://${formatHostPort({ host: at.host, port: server.addr.port })}`,
    async close() {
      endStreams.abort();
      try {
        await within(systemClock, SHUTDOWN_PATIENCE, "HTTP shutdown", server.shutdown());
      } catch (error) {
        // a client that never ends its request ends with the process: Deno cannot cut it after a shutdown has begun
        log.info("the console closed while requests were under way: {error}", { error });
      }
    },
    finished: server.finished,
  };
}

function listen(
  { host, port }: HostPort,
  handler: (request: Request) => Response | Promise<Response>,
) {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, handler);
  } catch (error) {
    const where = formatHostPort({ host, port });
    throw new ListenError(`the console cannot listen at ${where} (--http): ${messageOf(error)}`, { cause: error });
  }
}
