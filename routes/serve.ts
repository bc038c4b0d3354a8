/** Puts the HTTP face on a socket. */

import { getLogger } from "@logtape/logtape";
import { KituoError, messageOf } from "../core/base/errors.ts";
import { sleep, systemClock } from "../core/base/clock.ts";
import { within } from "../core/base/limits.ts";
import { formatHostPort, type HostPort } from "../core/config.ts";
import type { NameServerApi, NodeApi } from "../core/node_api.ts";
import { type AppOptions, createApp } from "./app.ts";
import { RELISTEN_FIRST, RELISTEN_LAST, SHUTDOWN_PATIENCE } from "./constants.ts";
import { createNameServerApp } from "./name_server.ts";
import { problem } from "./problem.ts";

const log = getLogger(["kituo", "http"]);

/** The HTTP face cannot listen where it should. */
export class ListenError extends KituoError {}

/** A listening HTTP face. */
export interface HttpFace {
  /** "http://HOST:PORT" with the port it really has */
  readonly url: string;
  /** Nobody is led to the node until there is another one: event streams end, who asks is told to ask again. */
  pause(): void;
  /** Serves another node in place of the one before. */
  show(node: NodeApi): void;
  /** Takes no more connections, ends event streams, and waits {@link SHUTDOWN_PATIENCE} for other answers at most. */
  close(): Promise<void>;
  /** Resolves when the last connection has ended after a close. */
  readonly finished: Promise<void>;
}

/** A listening face that always shows the same. */
type Face = Omit<HttpFace, "pause" | "show">;

type Handler = Deno.ServeHandler<Deno.NetAddr>;

/** What may be said besides. */
export type ServeOptions = Pick<AppOptions, "origins" | "proxies" | "assets" | "blind">;

/** What a socket is for, in messages, and the setting that says where it is. */
interface Purpose {
  what: string;
  setting: string;
}

/**
 * Serves a node at `at`; port 0 takes any. Where the server ends by itself (no more files can be opened, say), it is
 * begun again at the same port.
 * @throws {ListenError} when the address cannot be had
 */
export function serve(node: NodeApi, token: string, at: HostPort, options: ServeOptions = {}): HttpFace {
  const closing = new AbortController();
  const stage = new Stage((node, signal) => createApp(node, { ...options, token, signal }), closing.signal);
  stage.show(node);
  const listening = face(
    { what: "console", setting: "--http" },
    at,
    (request, info) => stage.fetch(request, info),
    closing,
  );
  return { ...listening, pause: () => stage.pause(), show: (node) => stage.show(node) };
}

/** What a console shows: one node, none for a moment, then another. */
class Stage {
  #shown: { app: ReturnType<typeof createApp>; over: AbortController } | null = null;

  constructor(
    private readonly app: (node: NodeApi, signal: AbortSignal) => ReturnType<typeof createApp>,
    private readonly closing: AbortSignal,
  ) {}

  show(node: NodeApi): void {
    this.pause();
    const over = new AbortController();
    this.#shown = { app: this.app(node, AbortSignal.any([over.signal, this.closing])), over };
  }

  pause(): void {
    this.#shown?.over.abort();
    this.#shown = null;
  }

  fetch(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> {
    return this.#shown?.app.fetch(request, info) ??
      problem(503, "The node is starting again: ask in a moment.", { "retry-after": "2" });
  }
}

/** Serves the node's own name server at `at`. @throws {ListenError} when the address cannot be had */
export function serveNames(names: NameServerApi, at: HostPort): Face {
  const app = createNameServerApp(names);
  return face({ what: "name server", setting: "--serve-names" }, at, app.fetch, new AbortController());
}

/** The same; null when the address cannot be had: the node does its work without, and says so. */
export function serveNamesIfPossible(names: NameServerApi, at: HostPort): Face | null {
  try {
    return serveNames(names, at);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    log.warn("the node runs without its name server: {error}", { error: error.message });
    return null;
  }
}

function face(purpose: Purpose, at: HostPort, handler: Handler, closing: AbortController): Face {
  const server = new LastingServer(purpose, at, handler, closing.signal);
  return {
    url: server.url,
    async close() {
      closing.abort();
      try {
        await within(systemClock, SHUTDOWN_PATIENCE, "HTTP shutdown", server.shutdown());
      } catch (error) {
        // a client that never ends its request ends with the process: Deno cannot cut it after a shutdown has begun
        log.info("the {what} closed while requests were under way: {error}", { what: purpose.what, error });
      }
    },
    finished: server.finished,
  };
}

/** A server that listens again when it ended by itself: Deno's does so at the first connection it cannot accept. */
class LastingServer {
  readonly url: string;
  readonly finished: Promise<void>;
  readonly #at: HostPort;
  #server: Deno.HttpServer<Deno.NetAddr>;

  /** @throws {ListenError} */
  constructor(
    private readonly purpose: Purpose,
    at: HostPort,
    private readonly handler: Handler,
    private readonly closing: AbortSignal,
  ) {
    this.#server = listen(purpose, at, handler);
    this.#at = { host: at.host, port: this.#server.addr.port };
    this.url = `http://${formatHostPort(this.#at)}`;
    this.finished = this.#last();
  }

  /** Resolves when no request is under way any more; call it after `closing` was aborted. */
  shutdown(): Promise<void> {
    return this.#server.shutdown();
  }

  async #last(): Promise<void> {
    let pause = RELISTEN_FIRST;
    while (!this.closing.aborted) {
      const begun = systemClock.now();
      try {
        return await this.#server.finished;
      } catch (error) {
        log.error("the {what} ended by itself: {error}", { what: this.purpose.what, error });
      }
      if (systemClock.now() - begun > RELISTEN_LAST) pause = RELISTEN_FIRST;
      pause = await this.#again(pause);
    }
  }

  /** Tries until it listens or is closed, at longer and longer intervals; returns the next one. */
  async #again(pause: number): Promise<number> {
    for (;; pause = Math.min(2 * pause, RELISTEN_LAST)) {
      await sleep(systemClock, pause, this.closing).catch(() => {});
      if (this.closing.aborted) return pause;
      try {
        this.#server = listen(this.purpose, this.#at, this.handler);
        log.warn("the {what} listens again at {url}", { what: this.purpose.what, url: this.url });
        return Math.min(2 * pause, RELISTEN_LAST);
      } catch (error) {
        log.error("still no {what}: {error}", { what: this.purpose.what, error });
      }
    }
  }
}

function listen({ what, setting }: Purpose, { host, port }: HostPort, handler: Handler): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, handler);
  } catch (error) {
    const where = formatHostPort({ host, port });
    throw new ListenError(`the ${what} cannot listen at ${where} (${setting}): ${messageOf(error)}`, { cause: error });
  }
}
