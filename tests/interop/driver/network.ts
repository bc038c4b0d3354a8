/** A private network for tests: Linux network namespaces as hosts on a switch, with a DHT bootstrap node and no way out. */

import { fileURLToPath } from "node:url";

const SLOTS = 100; // networks that may exist at once on one machine
const FIRST_SUBNET = 100; // network number n has the addresses 10.(100+n).0.0/24
const MAX_HOSTS = 250; // .251 and up are for the switch and the tests themselves
const TEST_ADDRESS = 253, SWITCH_ADDRESS = 254;
const INSIDE_SUBNET = "192.168"; // behind router number n are the addresses 192.168.n.0/24
const DHT_PORT = 4222;

/** One machine of a network. */
export interface Host {
  readonly number: number;
  readonly namespace: string;
  /** Its only IPv4 address. IPv6 is off: with it on, Debian's jamid can hang in a netlink `recv` while it lists addresses. */
  readonly address: string;
  /** What it is behind: everybody else sees it at the router's address. */
  readonly router?: Host;
}

export interface SpawnOptions {
  /** A file that gets standard error, and standard output unless `onLine` is given. Without it they are dropped. */
  log?: string;
  /** The environment; nothing else is in it but PATH. */
  env?: Record<string, string>;
  /** Gets each line of standard output. */
  onLine?: (line: string) => void;
  /** Keeps standard input open for `writeLine`. */
  input?: boolean;
}

/** A process in a namespace. Its pid is that of the program itself. */
export class HostProcess {
  readonly pid: number;
  /** How it ended. */
  readonly ended: Promise<Deno.CommandStatus>;
  #running = true;
  #input: WritableStreamDefaultWriter<Uint8Array> | null = null;

  constructor(private readonly child: Deno.ChildProcess, output: Promise<void>, private readonly input: boolean) {
    this.pid = child.pid;
    this.ended = child.status.then(async (status) => {
      this.#running = false;
      await output;
      await this.endInput();
      return status;
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** Writes a line to its standard input, which `input` must have kept open. @throws when nobody reads it any more */
  async writeLine(line: string): Promise<void> {
    this.#input ??= this.child.stdin.getWriter();
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Ends its standard input, if it is open. */
  async endInput(): Promise<void> {
    if (!this.input) return;
    this.#input ??= this.child.stdin.getWriter();
    await this.#input.close().catch(() => {}); // it ended before
  }

  /** Sends a signal, if there is still a process to get it. */
  signal(name: Deno.Signal): void {
    if (this.#running) this.child.kill(name);
  }

  /** SIGKILL; returns when it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  /** SIGTERM; after `patience` ms SIGKILL. Returns whether it ended by itself. */
  async stop(patience = 20_000): Promise<boolean> {
    this.signal("SIGTERM");
    let patient = true;
    const timer = setTimeout(() => {
      patient = false;
      this.signal("SIGKILL");
    }, patience);
    await this.ended;
    clearTimeout(timer);
    return patient;
  }
}

/**
 * A network of its own, gone after `down()`:
 *
 *     await using network = await Network.up();
 *     const host = await network.host();
 *     const process = network.spawn(host, ["sleep", "1000"]);
 *
 * A watcher process (`reaper.sh`) removes it even when the test process is killed. `KITUO_KEEP=1` in the environment keeps the files.
 */
export class Network implements AsyncDisposable {
  /** A folder for whatever belongs to the network; removed with it. */
  readonly folder: string;
  readonly switch: Host;
  /** `ADDRESS:PORT` of the DHT node that everybody starts from. */
  readonly bootstrap: string;
  #hosts = 0;
  #processes: HostProcess[] = [];

  private constructor(
    private readonly prefix: string,
    private readonly subnet: number,
    private readonly reaper: Reaper,
  ) {
    this.folder = reaper.folder;
    this.switch = { number: SWITCH_ADDRESS, namespace: `${prefix}-sw`, address: this.#address(SWITCH_ADDRESS) };
    this.bootstrap = `${this.switch.address}:${DHT_PORT}`;
  }

  /** A new network with a switch and a DHT node, without hosts yet. @throws when not root, or a tool is missing */
  static async up(): Promise<Network> {
    for (let slot = 0; slot < SLOTS; slot++) {
      const prefix = `kt${slot}`, subnet = FIRST_SUBNET + slot;
      const reaper = await Reaper.start(prefix, subnet);
      if (!reaper) continue;
      const network = new Network(prefix, subnet, reaper);
      try {
        await network.#addSwitch();
        await network.#startDht();
        return network;
      } catch (error) {
        await network.down();
        throw error;
      }
    }
    throw new Error("no free network: too many tests run at once, or 10.100.0.0 and up are in use on this machine");
  }

  /** Kills every process in the network and removes all of it. */
  async down(): Promise<void> {
    await this.reaper.finish();
    await Promise.all(this.#processes.map((process) => process.ended));
    this.#processes = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }

  /** A new host. */
  async host(): Promise<Host> {
    if (this.#hosts === MAX_HOSTS) throw new Error(`more than ${MAX_HOSTS} hosts`);
    const number = ++this.#hosts;
    const host = { number, namespace: `${this.prefix}-${number}`, address: this.#address(number) };
    await this.#addNamespace(host.namespace);
    await this.#addCable(host.namespace, `e-${host.namespace}`, `s-${host.namespace}`, host.address);
    await ip(["-n", host.namespace, "route", "add", "default", "via", this.switch.address]);
    return host;
  }

  /**
   * A new host behind a router of its own, which translates addresses (NAT) as most at home do: answers get in, nothing else does but what
   * `forward` lets in.
   */
  async hostBehindRouter(): Promise<Host & { router: Host }> {
    const router = await this.host();
    if (this.#hosts === MAX_HOSTS) throw new Error(`more than ${MAX_HOSTS} hosts`);
    const number = ++this.#hosts;
    const namespace = `${this.prefix}-${number}`,
      inside = `i-${namespace}`,
      subnet = `${INSIDE_SUBNET}.${router.number}`;
    await this.#addNamespace(namespace);
    const peer = ["peer", "name", inside, "netns", router.namespace];
    await ip(["link", "add", `e-${namespace}`, "netns", namespace, "type", "veth", ...peer]);
    await ip(["-n", router.namespace, "addr", "add", `${subnet}.1/24`, "dev", inside]);
    await ip(["-n", router.namespace, "link", "set", inside, "up"]);
    await ip(["-n", namespace, "addr", "add", `${subnet}.2/24`, "dev", `e-${namespace}`]);
    await ip(["-n", namespace, "link", "set", `e-${namespace}`, "up"]);
    await ip(["-n", namespace, "route", "add", "default", "via", `${subnet}.1`]);
    await this.run(router, ["sysctl", "-qw", "net.ipv4.ip_forward=1"]);
    const outside = `e-${router.namespace}`;
    for (
      const rule of [
        "add table ip nat",
        "add chain ip nat in { type nat hook prerouting priority -100 ; }",
        "add chain ip nat out { type nat hook postrouting priority 100 ; }",
        `add rule ip nat out oifname ${outside} masquerade`,
      ]
    ) await this.run(router, ["nft", rule]);
    return { number, namespace, address: `${subnet}.2`, router };
  }

  /** The router of a host sends what comes to this port of it on to the host. */
  async forward({ address, router }: Host & { router: Host }, protocol: "tcp" | "udp", port: number): Promise<void> {
    const rule = `add rule ip nat in iifname e-${router.namespace} ${protocol} dport ${port} dnat to ${address}`;
    await this.run(router, ["nft", rule]);
  }

  /** Pulls the host's cable at the switch. It keeps address and routes: its peers only find out by time-outs. */
  async unplug(host: Host): Promise<void> {
    await ip(["-n", this.switch.namespace, "link", "set", `s-${host.namespace}`, "down"]);
  }

  /** Puts the cable back. */
  async plug(host: Host): Promise<void> {
    await ip(["-n", this.switch.namespace, "link", "set", `s-${host.namespace}`, "up"]);
  }

  /** Makes two hosts unreachable for each other; both still reach the rest. */
  async cut(a: Host, b: Host): Promise<void> {
    await ip(["-n", a.namespace, "route", "add", "unreachable", `${b.address}/32`]);
    await ip(["-n", b.namespace, "route", "add", "unreachable", `${a.address}/32`]);
  }

  /** Undoes `cut`. */
  async heal(a: Host, b: Host): Promise<void> {
    await ip(["-n", a.namespace, "route", "del", "unreachable", `${b.address}/32`]);
    await ip(["-n", b.namespace, "route", "del", "unreachable", `${a.address}/32`]);
  }

  /** Starts any program on a host. It dies with the network at the latest. */
  spawn(host: Host, argv: string[], options: SpawnOptions = {}): HostProcess {
    const { log = "/dev/null", env = {}, onLine, input = false } = options;
    const redirect = onLine ? '2>>"$0"' : '>>"$0" 2>&1';
    const child = new Deno.Command("sh", {
      args: ["-c", `exec ip netns exec "$@" ${redirect}`, log, host.namespace, ...argv],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin:/usr/sbin:/sbin", ...env },
      stdin: input ? "piped" : "null",
      stdout: onLine ? "piped" : "null",
      stderr: "null",
    }).spawn();
    const process = new HostProcess(child, onLine ? eachLine(child.stdout, onLine) : Promise.resolve(), input);
    this.#processes.push(process);
    return process;
  }

  /** Runs a command on a host to its end; its standard output. @throws when it fails */
  async run(host: Host, argv: string[]): Promise<string> {
    return await command("ip", ["netns", "exec", host.namespace, ...argv]);
  }

  #address(number: number): string {
    return `10.${this.subnet}.0.${number}`;
  }

  /** The switch: a bridge in a namespace of its own, with a cable to the tests' own namespace, which get an address on it. */
  async #addSwitch(): Promise<void> {
    const { namespace, address } = this.switch;
    await this.#addNamespace(namespace);
    await ip(["-n", namespace, "link", "add", "br0", "type", "bridge"]);
    await ip(["-n", namespace, "link", "set", "br0", "up"]);
    await ip(["-n", namespace, "addr", "add", `${address}/24`, "dev", "br0"]);
    await this.#addCable(null, `r-${this.prefix}`, `s-${this.prefix}-r`, this.#address(TEST_ADDRESS));
  }

  async #addNamespace(namespace: string): Promise<void> {
    await ip(["netns", "add", namespace]);
    const off = ["net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"];
    await ip(["netns", "exec", namespace, "sysctl", "-qw", ...off]);
    await ip(["-n", namespace, "link", "set", "lo", "up"]);
  }

  /** A cable from a namespace (null: the tests' own) to the switch. */
  async #addCable(namespace: string | null, end: string, switchEnd: string, address: string): Promise<void> {
    const inside = namespace ? ["-n", namespace] : [];
    const at = namespace ? ["netns", namespace] : [];
    const bridge = this.switch.namespace;
    await ip(["link", "add", end, ...at, "type", "veth", "peer", "name", switchEnd, "netns", bridge]);
    await ip(["-n", bridge, "link", "set", switchEnd, "master", "br0", "up"]);
    await ip([...inside, "addr", "add", `${address}/24`, "dev", end]);
    await ip([...inside, "link", "set", end, "up"]);
  }

  /** `dhtnode` at the switch; returns when its port is open. */
  async #startDht(): Promise<void> {
    const argv = ["dhtnode", "-p", String(DHT_PORT), "-s"];
    const process = this.spawn(this.switch, argv, { log: `${this.folder}/dhtnode.log` });
    const port = `:${DHT_PORT.toString(16).toUpperCase()} `;
    for (let tries = 0; tries < 500; tries++) {
      if (!process.running) break;
      if ((await Deno.readTextFile(`/proc/${process.pid}/net/udp`).catch(() => "")).includes(port)) return;
      await new Promise((resolve) => setTimeout(resolve, 20)); // no signal tells when a socket is bound
    }
    throw new Error("dhtnode did not start");
  }
}

/** The watcher that owns a network's name and cleans up behind it. */
class Reaper {
  private constructor(private readonly child: Deno.ChildProcess, readonly folder: string) {}

  /** Null: the name is taken. */
  static async start(prefix: string, subnet: number): Promise<Reaper | null> {
    const script = fileURLToPath(new URL("reaper.sh", import.meta.url));
    const child = new Deno.Command("bash", {
      args: [script, prefix, String(subnet)],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    let folder = "";
    await eachLine(child.stdout, (line) => folder ||= line);
    if (folder) return new Reaper(child, folder);
    await child.stdin.close();
    const { code } = await child.status;
    if (code === 3) return null;
    throw new Error(`reaper.sh failed (status ${code}): private networks need root, iproute2 and util-linux`);
  }

  async finish(): Promise<void> {
    await this.child.stdin.close().catch(() => {}); // closed already: somebody called down() twice
    await this.child.status;
  }
}

async function ip(args: string[]): Promise<void> {
  await command("ip", args);
}

async function command(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${text(stderr).trim()}`);
  return text(stdout);
}

async function eachLine(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  }
  if (rest) onLine(rest);
}
