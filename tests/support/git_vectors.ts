/** What the tests of git need: recorded exchanges, bundles, and the real git as an oracle. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bytes, concat, fromBase64, text, utf8 } from "../../core/base/bytes.ts";
import { asBytes, decode } from "../../core/base/msgpack.ts";

/** The folder of vectors in this repository. */
export const VECTORS = fileURLToPath(new URL("../vectors/", import.meta.url));

/** One frame of a recorded git channel. */
export interface RecordedFrame {
  from: string;
  to: string;
  channel: number;
  data: Bytes;
}

/** The frames on `git://` channels of a recording such as `sync/clone.jsonl`, in order, ends of channels left out. */
export function gitFrames(file: string): RecordedFrame[] {
  return Deno.readTextFileSync(join(VECTORS, file)).trim().split("\n").map((line) => JSON.parse(line))
    .filter((row) => row.name.startsWith("git:") && row.len > 0)
    .map((row) => {
      const frame = decode(fromBase64(row.frame_b64));
      if (!Array.isArray(frame)) throw new Error("not a frame");
      return { from: row.from, to: row.to, channel: row.channel, data: asBytes(frame[1], "frame") };
    });
}

/** A recorded exchange: one request and everything up to the next one on the same channel. */
export interface RecordedExchange {
  frames: { client: boolean; data: Bytes }[];
  request: string;
  /** What the side-band carried. */
  pack: Bytes;
  /** The commit shown as `refs/heads/main`. */
  head: string;
}

/** All exchanges of a recording. */
export function gitExchanges(file: string): RecordedExchange[] {
  const out: (RecordedExchange & { channel: number; client: string })[] = [];
  for (const { from, channel, data } of gitFrames(file)) {
    const line = text(data);
    if (line.includes("git-upload-pack ")) {
      out.push({ frames: [], request: line.slice(4), pack: new Uint8Array(0), head: "", channel, client: from });
    }
    const exchange = out.findLast((one) => one.channel === channel);
    if (!exchange) continue;
    exchange.frames.push({ client: from === exchange.client, data });
    if (exchange.frames.length === 2) exchange.head = /([0-9a-f]{40}) refs\/heads\/main\n/.exec(line)?.[1] ?? "";
    if (data[4] === 1) exchange.pack = concat(exchange.pack, data.subarray(5));
  }
  return out;
}

/**
 * Runs the real git, without any configuration of the machine's; gives what it printed.
 * @throws when it fails
 */
export async function git(cwd: string, args: string[], input?: Uint8Array): Promise<Bytes> {
  const child = new Deno.Command("git", {
    args,
    cwd,
    env: {
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
      GIT_AUTHOR_NAME: "a",
      GIT_AUTHOR_EMAIL: "a",
      GIT_COMMITTER_NAME: "a",
      GIT_COMMITTER_EMAIL: "a",
    },
    stdin: input ? "piped" : "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const feed = async () => {
    if (!input) return;
    const writer = child.stdin.getWriter();
    await writer.write(input).catch(() => {}); // reason: git may end early; its exit code says why
    await writer.close().catch(() => {});
  };
  const [{ code, stdout, stderr }] = await Promise.all([child.output(), feed()]);
  if (code !== 0) throw new Error(`git ${args.join(" ")}: ${text(stderr)}`);
  return stdout;
}

/** The lines that git printed. */
export async function gitLines(cwd: string, ...args: string[]): Promise<string[]> {
  return text(await git(cwd, args)).split("\n").filter((line) => line !== "");
}

/** What `git fsck --strict` finds wrong; nothing is an empty list. Dangling objects are nothing wrong. */
export async function fsck(dir: string): Promise<string[]> {
  return (await gitLines(dir, "fsck", "--strict", "--no-dangling", "--no-progress")).filter((line) =>
    !line.startsWith("notice:")
  );
}

/** A folder for one test. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kituo-git-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The raw content of a commit, for tests that need many; `signed` bytes do not compress. */
export function commitData(tree: string, parents: string[], time: number, message: string, signed = ""): Bytes {
  const person = `alice <${"ab".repeat(32)}> ${time} +0000`;
  return utf8(
    `tree ${tree}\n${parents.map((parent) => `parent ${parent}\n`).join("")}author ${person}\ncommitter ${person}\n` +
      (signed && `signature ${signed}\n`) + `\n${message}`,
  );
}
