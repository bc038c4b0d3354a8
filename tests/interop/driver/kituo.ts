/** The product itself as a process on a host of a test network, started exactly as `deno task start` starts it. */

import { Buffer } from "node:buffer";
import { request as httpRequest } from "node:http";
import { fileURLToPath } from "node:url";
import { DaemonTimeout, processStats } from "./daemon_process.ts";
import type { ProcessStats } from "./daemon_process.ts";
import type { Host, HostProcess, Network } from "./network.ts";

const START_SCRIPT = fileURLToPath(new URL("../../../core/start.sh", import.meta.url));
export const HTTP_PORT = 8042;
const START_TIMEOUT = 60_000; // ms: a first start makes three RSA-4096 keys
const WAIT_TIMEOUT = 60_000; // ms
const POLL_INTERVAL = 50; // ms
const READY_LINE = /\b([0-9a-f]{40})\b.*?(https?:\/\/\S+)/;

/** An answer of the HTTP API. */
export interface ApiResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  /** what the text was made from */
  bytes: Uint8Array;
}

/** The API refused, with this problem (RFC 9457). */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(readonly status: number, what: string, readonly problem: string) {
    super(`${what}: ${status} ${problem}`);
  }
}

export interface KituoOptions {
  /** Default: a new host. */
  host?: Host;
  /** More command line options; those of a later `start` replace them. */
  args?: string[];
  env?: Record<string, string>;
  /** Told each line of standard output, also before the ready line. */
  onLine?: (line: string) => void;
}

export class KituoProcess implements AsyncDisposable {
  /** The data folder: it survives restarts. */
  readonly data: string;
  /** Standard output and error of all its runs. */
  readonly log: string;
  /** From the ready line. */
  jamiId = "";
  /** All lines of standard output of the present run. */
  lines: string[] = [];
  #process: HostProcess | null = null;

  private constructor(
    readonly network: Network,
    readonly name: string,
    readonly host: Host,
    private args: string[],
    private readonly env: Record<string, string>,
    private readonly onLine: (line: string) => void,
  ) {
    this.data = `${network.folder}/${name}/data`;
    this.log = `${network.folder}/${name}/log`;
  }

  /** A running node: its ready line came. `waitReady` waits for its announcement too. */
  static async start(network: Network, name = "kituo", options: KituoOptions = {}): Promise<KituoProcess> {
    const host = options.host ?? await network.host();
    await Deno.mkdir(`${network.folder}/${name}`, { recursive: true });
    const kituo = new KituoProcess(
      network,
      name,
      host,
      options.args ?? [],
      options.env ?? {},
      options.onLine ?? (() => {}),
    );
    await kituo.start();
    return kituo;
  }

  /** Starts it (again) with the same data folder; returns ms until its ready line. */
  async start(args = this.args): Promise<number> {
    if (this.running) throw new Error(`${this.name} runs already`);
    this.args = args;
    this.lines = [];
    const began = performance.now();
    const ready = Promise.withResolvers<void>();
    const own = ["--data", this.data, "--http", `0.0.0.0:${HTTP_PORT}`, "--bootstrap", this.network.bootstrap];
    if (!args.includes("--name-server")) own.push("--name-server", "none"); // the real one is nobody's business here
    const process = this.#process = this.network.spawn(this.host, ["bash", START_SCRIPT, ...own, ...args], {
      log: this.log,
      env: { HOME: Deno.env.get("HOME") ?? "", NO_COLOR: "1", DENO: Deno.execPath(), ...this.env },
      onLine: (line) => {
        this.lines.push(line);
        this.onLine(line);
        const [, jamiId] = READY_LINE.exec(line) ?? [];
        if (!jamiId) return;
        this.jamiId = jamiId;
        ready.resolve();
      },
    });
    const timer = setTimeout(
      () => ready.reject(new DaemonTimeout(`${this.name}: no ready line in ${START_TIMEOUT} ms`)),
      START_TIMEOUT,
    );
    process.ended.then(async ({ code }) => {
      ready.reject(new Error(`${this.name} ended with code ${code} before it was ready:\n${await this.logText()}`));
    });
    try {
      await ready.promise;
    } finally {
      clearTimeout(timer);
    }
    return performance.now() - began;
  }

  /** Until `/readyz` says so: the DHT is connected and the device announced. */
  async waitReady(timeout?: number): Promise<void> {
    await this.until("/readyz", async () => (await this.request("GET", "/readyz")).status === 200, timeout);
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  get pid(): number {
    if (!this.#process) throw new Error(`${this.name} was never started`);
    return this.#process.pid;
  }

  /** SIGTERM. Whether it ended by itself within 5 s, as promised (else it was killed). */
  async stop(): Promise<boolean> {
    return await this.#process?.stop(5_000) ?? true;
  }

  /** Sends a signal that ends it; how it ended. */
  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    if (!this.#process) throw new Error(`${this.name} was never started`);
    this.#process.signal(signal);
    return await this.#process.ended;
  }

  /** SIGKILL: a crash. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  freeze(): void {
    this.#process?.signal("SIGSTOP");
  }

  thaw(): void {
    this.#process?.signal("SIGCONT");
  }

  async unplug(): Promise<void> {
    await this.network.unplug(this.host);
  }

  async plug(): Promise<void> {
    await this.network.plug(this.host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async stats(): Promise<ProcessStats> {
    return await processStats(this.pid);
  }

  /** Resident memory in MiB. */
  async rss(): Promise<number> {
    return (await this.stats()).rss;
  }

  /** Standard error of all runs so far. */
  async logText(): Promise<string> {
    return await Deno.readTextFile(this.log).catch(() => "");
  }

  /** The address of its console, as seen from the tests (a router must forward its port). */
  get url(): string {
    return `http://${(this.host.router ?? this.host).address}:${HTTP_PORT}`;
  }

  async token(): Promise<string> {
    return (await Deno.readTextFile(`${this.data}/admin.token`)).trim();
  }

  /**
   * The answer of the API to an authorised request, parsed from JSON; undefined when it is empty.
   * @param path below /api/v1, e.g. `/node`
   * @throws {ApiError} for every status from 400 on
   */
  async api<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.request(method, `/api/v1${path}`, body, {
      authorization: `Bearer ${await this.token()}`,
    });
    if (answer.status >= 400) throw new ApiError(answer.status, `${method} ${path}`, answer.text);
    return (answer.text ? JSON.parse(answer.text) : undefined) as T; // reason: a test names the shape that it then asserts on
  }

  /** Any HTTP request, without the token. (Not `fetch`, which would ask a proxy named in the environment.) */
  request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiResponse> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const described = payload === undefined ? {} : {
      "content-type": "application/json",
      "content-length": `${new TextEncoder().encode(payload).length}`, // else the body of a DELETE is sent without any frame
    };
    const given = { ...described, ...headers };
    return new Promise((resolve, reject) => {
      const request = httpRequest(this.url + path, { method, headers: given, agent: false }, (response) => {
        const chunks: Uint8Array[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const bytes = Buffer.concat(chunks);
          const text = bytes.toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, bytes });
        });
      });
      request.on("error", reject);
      request.end(payload);
    });
  }

  /**
   * Asks again and again until `check` gives something true; refused connections and API errors count as "not yet".
   * @throws {DaemonTimeout}
   */
  async until<T>(
    what: string,
    check: () => Promise<T | null | undefined | false>,
    timeout = WAIT_TIMEOUT,
  ): Promise<T> {
    const end = performance.now() + timeout;
    let last: unknown;
    while (true) {
      try {
        const result = await check();
        if (result) return result;
      } catch (error) {
        last = error;
      }
      if (!this.running) throw new Error(`${this.name} is not running, while waiting for ${what}`);
      if (performance.now() > end) {
        throw new DaemonTimeout(`${this.name}: ${timeout} ms waited for ${what}`, { cause: last });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL));
    }
  }
}
