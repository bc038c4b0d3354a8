/** One unmodified Jami daemon as a process: a private home, a private D-Bus, its signals, and ways to wait for them. */

import { DBusConnection, DBusError, type DBusSignal } from "./dbus.ts";
import type { DBusArgument, DBusValue } from "./dbus_wire.ts";
import type { Host, HostProcess, Network } from "./network.ts";

/** Debian's daemon; `JAMID` in the environment names another build. */
export const JAMID = Deno.env.get("JAMID") ?? "/usr/libexec/jamid";

const SERVICE = "cx.ring.Ring";
const INTERFACES = "/usr/share/dbus-1/interfaces"; // comes with jami-daemon: the signatures stand there
const BUS = { name: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

const START_TIMEOUT = 30_000; // ms
const WAIT_TIMEOUT = 60_000; // ms: what a wait allows when it is not told
/** ms. Debian's jamid hands to the bus what did not fit into the socket at once (the signals of a big batch) only when its D-Bus loop wakes up: up to 10 s. */
const POKE_INTERVAL = 100;
const RECHECK_INTERVAL = 1_000; // ms: for the few states that change without a signal

/** Which of jamid's D-Bus interfaces. */
export type JamiInterface = "ConfigurationManager" | "CallManager" | "PresenceManager";

/** A signal of a daemon. */
export interface DaemonEvent {
  /** `performance.now()` of its arrival. */
  at: number;
  name: string;
  args: DBusValue[];
}

/** A wait that came to nothing. */
export class DaemonTimeout extends Error {
  override name = "DaemonTimeout";
}

export interface WaitOptions {
  /** Only events at or after this `mark()`. Default 0: all since the daemon object was made. */
  since?: number;
  /** ms */
  timeout?: number;
}

/** Memory in MiB, processor time in seconds since its start. */
export interface ProcessStats {
  rss: number;
  peak: number;
  cpu: number;
  threads: number;
  files: number;
}

export abstract class DaemonProcess implements AsyncDisposable {
  /** All signals so far, oldest first. */
  readonly events: DaemonEvent[] = [];
  readonly folder: string;
  readonly home: string;
  #bus: DBusConnection | null = null;
  #process: HostProcess | null = null;
  #listeners = new Set<() => void>();

  protected constructor(readonly network: Network, readonly name: string, readonly host: Host) {
    this.folder = `${network.folder}/${name}`;
    this.home = `${this.folder}/home`;
  }

  /** Called when the daemon answers, at each start. */
  protected abstract started(): Promise<void>;

  /**
   * Starts the daemon (again); returns when it answers.
   * @param options.debug its verbose log, which makes it slow, in `folder`/jamid.log
   */
  async start(options: { debug?: boolean } = {}): Promise<void> {
    if (this.running) throw new Error(`${this.name} runs already`);
    this.#bus ??= await this.#startBus();
    const process = this.#process = this.network.spawn(
      this.host,
      [JAMID, "-c", "-p", ...options.debug ? ["-d"] : []],
      { log: `${this.folder}/jamid.log`, env: this.#environment() },
    );
    await this.until("to answer on D-Bus", async () => {
      if (!process.running) throw new Error(`${this.name}: jamid ended at its start, see ${this.folder}/jamid.log`);
      const [owner] = await this.#connection().call(BUS, "GetConnectionUnixProcessID", "s", [SERVICE]);
      if (owner !== process.pid) return false;
      return await this.call("ConfigurationManager", "getAccountList");
    }, START_TIMEOUT);
    await this.started();
  }

  get running(): boolean {
    return this.#process?.running ?? false;
  }

  get pid(): number {
    if (!this.#process) throw new Error(`${this.name} was never started`);
    return this.#process.pid;
  }

  /** SIGTERM. Whether it ended within 20 s (else it was killed). */
  async stop(): Promise<boolean> {
    return await this.#process?.stop() ?? true;
  }

  /** SIGKILL: a crash. */
  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** SIGSTOP: its sockets stay open, nothing answers. */
  freeze(): void {
    this.#process?.signal("SIGSTOP");
  }

  thaw(): void {
    this.#process?.signal("SIGCONT");
  }

  /** Takes its host off the network. */
  async unplug(): Promise<void> {
    await this.network.unplug(this.host);
  }

  /** Back on the network; `tell`: tells the daemon too, as a desktop client would. */
  async plug(tell = true): Promise<void> {
    await this.network.plug(this.host);
    if (tell && this.running) await this.call("ConfigurationManager", "connectivityChanged");
  }

  /** Ends it for good. Its files stay until the network is down. */
  async dispose(): Promise<void> {
    await this.kill();
    await this.#bus?.close();
    this.#bus = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  async stats(): Promise<ProcessStats> {
    return await processStats(this.pid);
  }

  /** Calls any method of the daemon; its (first) result. @throws {DBusError} */
  async call(api: JamiInterface, method: string, ...args: DBusArgument[]): Promise<DBusValue | undefined> {
    const target = { name: SERVICE, path: `/cx/ring/Ring/${api}`, interface: `${SERVICE}.${api}` };
    const results = await this.#connection().call(target, method, await signatureOf(api, method), args);
    return results[0];
  }

  /** A place in the list of events, for `since`. */
  mark(): number {
    return this.events.length;
  }

  /** The first event `name` (from `since` on) for which `test` holds. @throws {DaemonTimeout} */
  async waitEvent(
    name: string,
    test: (args: DBusValue[]) => boolean = () => true,
    { since = 0, timeout = WAIT_TIMEOUT }: WaitOptions = {},
  ): Promise<DaemonEvent> {
    let next = since;
    const search = () => {
      for (; next < this.events.length; next++) {
        const event = this.events[next];
        if (event.name === name && test(event.args)) return Promise.resolve(event);
      }
      return Promise.resolve(null);
    };
    return await this.until(`${name} to come`, search, timeout);
  }

  /**
   * Looks again after every signal until `check` gives something true; D-Bus errors count as "not yet".
   * @param what ends the sentence "NAME waited for ..."
   * @throws {DaemonTimeout}
   */
  async until<T>(
    what: string,
    check: () => Promise<T | null | undefined | false>,
    timeout = WAIT_TIMEOUT,
  ): Promise<T> {
    const end = performance.now() + timeout;
    const poke = setInterval(() => this.poke(), POKE_INTERVAL);
    try {
      while (true) {
        const seen = this.events.length;
        try {
          const result = await check();
          if (result) return result;
        } catch (error) {
          if (!(error instanceof DBusError)) throw error;
        }
        const left = end - performance.now();
        if (left <= 0) throw new DaemonTimeout(`${this.name} waited ${timeout} ms for ${what}`);
        if (this.events.length === seen) await this.#signalWithin(Math.min(left, RECHECK_INTERVAL));
      }
    } finally {
      clearInterval(poke);
    }
  }

  /** Wakes the daemon's D-Bus loop (a Ping that wants no answer). */
  poke(): void {
    this.#bus?.tell({ name: SERVICE, path: "/", interface: "org.freedesktop.DBus.Peer" }, "Ping");
  }

  #signalWithin(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#listeners.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#listeners.add(done);
    });
  }

  #onSignal({ interface: api, member, args }: DBusSignal): void {
    if (api.startsWith(`${SERVICE}.`)) this.events.push({ at: performance.now(), name: member, args });
    for (const listener of [...this.#listeners]) listener();
  }

  #connection(): DBusConnection {
    if (!this.#bus) throw new Error(`${this.name} has no bus: it was not started, or disposed`);
    return this.#bus;
  }

  /** A dbus-daemon of its own. It survives the daemon, and has no service directories: else a call would start a stray jamid. */
  async #startBus(): Promise<DBusConnection> {
    await Deno.mkdir(`${this.home}/run`, { recursive: true, mode: 0o700 });
    const config = `${this.folder}/bus.conf`;
    await Deno.writeTextFile(config, busConfiguration(this.#socket));
    const ready = Promise.withResolvers<void>();
    const bus = this.network.spawn(
      this.host,
      ["dbus-daemon", `--config-file=${config}`, "--nofork", "--nopidfile", "--print-address"],
      { log: `${this.folder}/bus.log`, onLine: () => ready.resolve() },
    );
    bus.ended.then(() => ready.reject(new Error(`${this.name}: dbus-daemon ended, see ${this.folder}/bus.log`)));
    await ready.promise;
    const connection = await DBusConnection.open(this.#socket, (signal) => this.#onSignal(signal));
    for (const api of ["ConfigurationManager", "CallManager", "PresenceManager"]) {
      await connection.listen(`type='signal',interface='${SERVICE}.${api}'`);
    }
    await connection.listen(`type='signal',member='NameOwnerChanged',arg0='${SERVICE}'`);
    return connection;
  }

  get #socket(): string {
    return `${this.folder}/bus`;
  }

  #environment(): Record<string, string> {
    return {
      HOME: this.home,
      XDG_RUNTIME_DIR: `${this.home}/run`,
      XDG_CONFIG_HOME: `${this.home}/config`,
      XDG_DATA_HOME: `${this.home}/data`,
      XDG_CACHE_HOME: `${this.home}/cache`,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${this.#socket}`,
    };
  }
}

function busConfiguration(socket: string): string {
  const bytes = ["max_incoming_bytes", "max_outgoing_bytes", "max_message_size"];
  const counts = ["max_match_rules_per_connection", "max_replies_per_connection"];
  const limits = [...bytes.map((name) => [name, 1e9]), ...counts.map((name) => [name, 5e4])];
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
  ${limits.map(([name, value]) => `<limit name="${name}">${value}</limit>`).join("")}
</busconfig>
`;
}

const signatures = new Map<JamiInterface, Map<string, string>>();

/** The signature of a method's arguments, from the XML that the daemon's package installs. */
async function signatureOf(api: JamiInterface, method: string): Promise<string> {
  let methods = signatures.get(api);
  if (!methods) {
    const xml = await Deno.readTextFile(`${INTERFACES}/${SERVICE}.${api}.xml`);
    methods = new Map();
    for (const [, name, content] of xml.matchAll(/<method\s[^>]*?\bname="(\w+)"[^>]*?(?:\/>|>(.*?)<\/method>)/gs)) {
      const args = [...(content ?? "").matchAll(/<arg\s[^>]*>/g)].map(([arg]) => arg);
      const inputs = args.filter((arg) => /\bdirection="in"/.test(arg));
      methods.set(name, inputs.map((arg) => /\stype="([^"]*)"/.exec(arg)?.[1] ?? "").join(""));
    }
    signatures.set(api, methods);
  }
  const signature = methods.get(method);
  if (signature === undefined) throw new Error(`${api} has no method ${method}`);
  return signature;
}

/** What the kernel says of a process. */
export async function processStats(pid: number): Promise<ProcessStats> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const stat = (await Deno.readTextFile(`/proc/${pid}/stat`)).replace(/^.*\) /, "").split(" ");
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(status)?.[1]);
  return {
    rss: field("VmRSS") / 1024,
    peak: field("VmHWM") / 1024,
    cpu: (Number(stat[11]) + Number(stat[12])) / 100, // the kernel counts these in 1/100 s on every Linux
    threads: field("Threads"),
    files: [...Deno.readDirSync(`/proc/${pid}/fd`)].length,
  };
}
