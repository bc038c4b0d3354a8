/**
 * `deno task health [OPTIONS]`: asks a node on this machine whether it answers, and with `--ready` whether others can find
 * it. OPTIONS are those of the node: they, the environment and `kituo.json` say where it listens. Exit code 0: yes; 1: no.
 * For containers and supervisors, which need no other program for it.
 */

import { messageOf } from "./base/errors.ts";
import { ConfigError, formatHostPort, loadConfig } from "./config.ts";

/** Longest time that a healthy node takes, ms. */
const PATIENCE_MS = 4_000;

const HEALTHY = 0;
const NOT_HEALTHY = 1;

/** Listening everywhere is reached at this machine's own address. */
const EVERYWHERE: Record<string, string> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Runs the command; `print` gets a line. @returns the exit code */
export async function healthCommand(args: string[], print: (line: string) => void): Promise<number> {
  const path = args.includes("--ready") ? "/readyz" : "/healthz";
  try {
    const { http: { host, port } } = loadConfig(args.filter((arg) => arg !== "--ready"));
    const url = `http://${formatHostPort({ host: EVERYWHERE[host] ?? host, port })}${path}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await response.text();
    print(response.ok ? "healthy" : `not healthy: ${text}`);
    return response.ok ? HEALTHY : NOT_HEALTHY;
  } catch (error) {
    print(error instanceof ConfigError ? error.message : `not healthy: ${messageOf(error)}`);
    return NOT_HEALTHY;
  }
}

if (import.meta.main) Deno.exitCode = await healthCommand(Deno.args, console.log);
