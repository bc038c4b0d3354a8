/** Runs one node: reads the settings, builds the node, puts the console on its socket, obeys signals. */

import { getLogger } from "@logtape/logtape";
import { systemClock } from "./core/base/clock.ts";
import { KituoError, messageOf } from "./core/base/errors.ts";
import { within } from "./core/base/limits.ts";
import { asksFor, type Config, ConfigError, configHelp, loadConfig } from "./core/config.ts";
import { configureLogging } from "./core/logging.ts";
import { createNode, type Node } from "./core/node.ts";
import type { NameServerApi } from "./core/node_api.ts";
import { joinAccount } from "./core/node_join.ts";
import { Takeovers } from "./core/node_takeover.ts";
import { isDamage } from "./core/store/errors.ts";
import { type FolderLock, lockFolder } from "./core/store/lock.ts";
import { startTelemetry } from "./core/telemetry.ts";
import { VERSION } from "./core/version.ts";
import { adminToken } from "./routes/admin_token.ts";
import { readAssets } from "./routes/assets.ts";
import { serve, serveNamesIfPossible } from "./routes/serve.ts";

const log = getLogger(["kituo", "main"]);

/** Exit codes: 0 after a signal. */
const FAILED = 1, WRONG_SETTING = 2;

/** Milliseconds a stop may take, a little less than the 5 s promised. */
const STOP_PATIENCE = 4_500;

/** Milliseconds after which a second signal means: at once. */
const IMPATIENCE = 1_000;

/** The data folder cannot be read and written. */
class FolderError extends KituoError {}

async function main(): Promise<number> {
  const asked = asksFor(Deno.args);
  if (asked) {
    console.log(asked === "help" ? configHelp() : `Kituo ${VERSION}`);
    return 0;
  }
  let config: Config;
  try {
    config = loadConfig(Deno.args);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`Kituo: ${error.message}`);
    return WRONG_SETTING;
  }
  await configureLogging(config.logLevel, config.logFormat);
  const stopping = firstSignal();
  const opened = new AsyncDisposableStack();
  const result = await Promise.race([start(config, opened), stopping]).then(() => 0, tellFailure);
  if (result === 0) await stopping;
  return Math.max(result, await stop(opened));
}

/** Builds and starts everything; what must be closed again goes to `opened` as it is opened. */
async function start(config: Config, opened: AsyncDisposableStack): Promise<void> {
  // no half-built node goes on after an error that nobody caught
  const net = catchUncaught();
  const assets = readAssets();
  const { lock, token } = dataFolder(config.data);
  opened.defer(() => lock.release());
  await joinAccount(config);
  if (config.otlpEndpoint !== undefined) opened.defer(startTelemetry(config.otlpEndpoint, systemClock));
  const takeovers = new Takeovers<Node>(config);
  const node = await createNode(config, takeovers);
  opened.defer(() => takeovers.stop());
  const face = serve(node, token, config.http, {
    assets,
    blind: config.blind,
    origins: config.consoleOrigin,
    proxies: config.trustedProxy,
  });
  opened.defer(() => face.close());
  if (config.serveNames) {
    const names = serveNamesIfPossible(nameServerOf(takeovers, node), config.serveNames);
    if (names) opened.defer(() => names.close());
    if (names) log.info("the name server listens at {url}", { url: names.url });
  }
  takeovers.attach(node, {
    create: () => createNode(config, takeovers),
    onStop: () => face.pause(),
    onStart: (next) => face.show(next),
    onLost: (error) => Deno.exit(tellFailure(error)), // whoever started the node starts it again
  });
  await node.start();
  net.goOn();
  console.log(`Kituo ${VERSION} ready: jami:${node.info().jamiId} ${face.url}`);
  const secret = node.admins.newSetupSecret();
  if (secret !== null) {
    console.log(`Set up the console, within an hour: ${consoleUrl(config, face.url)}/setup?secret=${secret}`);
  }
}

/** The name server of the node that runs: it may be another one than at the start. */
function nameServerOf(takeovers: Takeovers<Node>, first: Node): NameServerApi {
  const names = () => (takeovers.node ?? first).nameServer;
  return {
    record: (name) => names().record(name),
    nameOf: (jamiId) => names().nameOf(jamiId),
    register: (name, body) => names().register(name, body),
  };
}

/** Where a person opens the console: at its public address, or on this machine (passkeys need a name, not an address). */
function consoleUrl({ consoleOrigin: [origin] }: Config, url: string): string {
  return origin ?? `http://localhost:${new URL(url).port || "80"}`;
}

/** Makes and takes the data folder. @throws {KituoError} */
function dataFolder(path: string): { lock: FolderLock; token: string } {
  try {
    Deno.mkdirSync(path, { recursive: true, mode: 0o700 });
    return { lock: lockFolder(path), token: adminToken(path) };
  } catch (error) {
    if (error instanceof KituoError) throw error;
    throw new FolderError(`the data folder ${path} (--data) cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** Closes all in reverse order; what hangs is left behind, for everything durable is on disk at all times. */
async function stop(opened: AsyncDisposableStack): Promise<number> {
  try {
    await within(systemClock, STOP_PATIENCE, "the stop", opened.disposeAsync());
    return 0;
  } catch (error) {
    log.error("stopping failed: {error}", { error });
    return FAILED;
  }
}

/** Resolves at SIGTERM or SIGINT; an impatient one later ends the process on the spot. (npx may send the same signal twice.) */
function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    let first = Infinity;
    const heed = () => {
      const now = systemClock.now();
      if (now - first > IMPATIENCE) Deno.exit(FAILED);
      first = Math.min(first, now);
      resolve();
    };
    for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, heed);
  });
}

/**
 * A net under everything: an error that nobody caught is logged. While the node is being built it also ends the process;
 * later the node goes on, because one peer's connection must not take down all others.
 */
function catchUncaught(): { goOn(): void } {
  let fatal = true;
  const caught = (event: Event, error: unknown) => {
    event.preventDefault();
    log.error("an error that nobody caught: {error}", { error });
    if (fatal) Deno.exit(tellFailure(error));
  };
  globalThis.addEventListener("error", (event) => caught(event, event.error ?? event.message));
  globalThis.addEventListener("unhandledrejection", (event) => caught(event, event.reason));
  return { goOn: () => fatal = false };
}

/** One line for the person at the terminal; the trace of what is our own fault goes to the log. */
function tellFailure(error: unknown): number {
  if (isDamage(error)) {
    const repair = "`deno task reindex --data DIR` puts it aside and rebuilds it from the repositories";
    console.error(`Kituo cannot start: the database is damaged: ${messageOf(error).replace(/\s+/g, " ")}; ${repair}`);
    return FAILED;
  }
  const known = error instanceof KituoError || Object.values(Deno.errors).some((kind) => error instanceof kind);
  if (!known) log.error("the start failed: {error}", { error });
  console.error(`Kituo cannot start: ${messageOf(error).replace(/\s+/g, " ")}`);
  return FAILED;
}

if (import.meta.main) Deno.exit(await main());
