/** The real `dhtnode` of Debian (OpenDHT 2.4.12), driven by its command line. */

import { text, utf8 } from "../../../core/base/bytes.ts";
import { within } from "../../../core/base/limits.ts";
import { systemClock } from "../../../core/base/clock.ts";

/** How long any one thing may take (milliseconds). */
const PATIENCE = 30_000;

/** One running dhtnode on a free port of this machine. */
export class DhtNode {
  output = "";
  #process: Deno.ChildProcess;
  #input: WritableStreamDefaultWriter<Uint8Array>;
  #waiting = new Set<() => void>();
  #reading: Promise<void>;

  private constructor(readonly port: number, args: string[]) {
    this.#process = new Deno.Command("dhtnode", {
      args: ["-p", String(port), ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** Starts a node; `identity`: with a key of its own (-i), for signed values. */
  static async start(options: { bootstrap?: DhtNode; identity?: boolean } = {}): Promise<DhtNode> {
    const args = options.bootstrap ? ["-b", `127.0.0.1:${options.bootstrap.port}`] : [];
    const node = new DhtNode(freePort(), [...args, ...(options.identity ? ["-i"] : [])]);
    await node.says(/running on port/);
    return node;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Types a command. */
  async type(command: string): Promise<void> {
    await this.#input.write(utf8(`${command}\n`));
  }

  /** Resolves with the first match in what it has printed or prints. @throws after 30 s */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const { promise, resolve } = Promise.withResolvers<RegExpExecArray>();
    const look = () => {
      const match = pattern.exec(this.output);
      if (match) resolve(match);
    };
    this.#waiting.add(look);
    look();
    try {
      return await within(systemClock, PATIENCE, `dhtnode printing ${pattern}`, promise);
    } finally {
      this.#waiting.delete(look);
    }
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await this.#reading;
    await this.#input.close().catch(() => {});
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#process.stdout) {
      this.output += text(chunk);
      for (const look of [...this.#waiting]) look();
    }
  }
}

/** A UDP port that is free now. */
function freePort(): number {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = socket.addr as Deno.NetAddr; // reason: what a TCP listener's address is
  socket.close();
  return port;
}
