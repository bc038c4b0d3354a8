/** How daemons and a node get together: what nearly every test with both begins with. */

import type { JamiDaemon } from "./daemon.ts";
import type { KituoProcess } from "./kituo.ts";
import type { Network } from "./network.ts";
import { KituoProcess as Process } from "./kituo.ts";

/** A message as the API tells it. */
export interface ApiMessage {
  id: string;
  type: string;
  author: string;
  body: string;
  parents: string[];
}

const PAGE = 100; // messages asked for at once

/** A node that accepts every request, ready. */
export async function openNode(network: Network, name = "kituo", args: string[] = []): Promise<KituoProcess> {
  const kituo = await Process.start(network, name, { args: ["--accept-requests", "anyone", ...args] });
  await kituo.waitReady();
  return kituo;
}

/** The daemon adds the node as a contact; their one-to-one conversation, once both are in it. */
export async function addNode(daemon: JamiDaemon, kituo: KituoProcess): Promise<string> {
  await daemon.addContact(kituo.jamiId);
  const conversation = await daemon.conversationWith(kituo.jamiId);
  await daemon.waitMember(conversation, kituo.jamiId);
  return conversation;
}

/** The daemon invites the node into its group; returns when it has joined. */
export async function inviteNode(daemon: JamiDaemon, kituo: KituoProcess, conversation: string): Promise<void> {
  await daemon.invite(conversation, kituo.jamiId);
  await daemon.waitMember(conversation, kituo.jamiId);
}

/** All that the API tells of a conversation, newest first. */
export async function apiHistory(kituo: KituoProcess, conversation: string): Promise<ApiMessage[]> {
  const all: ApiMessage[] = [];
  for (let before = "";;) {
    const query = `limit=${PAGE}${before && `&before=${before}`}`;
    const path = `/conversations/${conversation}/messages?${query}`;
    const { messages } = await kituo.api<{ messages: ApiMessage[] }>("GET", path);
    all.push(...messages);
    if (messages.length < PAGE) return all;
    before = messages[messages.length - 1].id;
  }
}

/** Until the node's API tells all these texts. */
export async function waitTexts(
  kituo: KituoProcess,
  conversation: string,
  texts: Iterable<string>,
  timeout?: number,
): Promise<void> {
  const wanted = [...texts];
  await kituo.until(`${wanted.length} texts of ${conversation}`, async () => {
    const bodies = new Set((await apiHistory(kituo, conversation)).map(({ body }) => body));
    return wanted.every((text) => bodies.has(text));
  }, timeout);
}

/** Where the node keeps a conversation's repository. */
export function repositoryOf(kituo: KituoProcess, conversation: string): string {
  return `${kituo.data}/conversations/${conversation}.git`;
}

/** What git says about that repository, standard error included. @throws when git fails */
export async function gitOf(kituo: KituoProcess, conversation: string, ...args: string[]): Promise<string> {
  const where = ["-c", "safe.directory=*", "-C", repositoryOf(kituo, conversation)];
  const { success, stdout, stderr } = await new Deno.Command("git", { args: [...where, ...args] }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  if (!success) throw new Error(`git ${args.join(" ")}: ${said}`);
  return said.trim();
}

/** The node's log lines of level "ERROR" and above, of all its runs. */
export async function errorsOf(kituo: KituoProcess): Promise<string[]> {
  const lines = (await kituo.logText()).split("\n");
  return lines.filter((line) => /"level":"(ERROR|FATAL)"/i.test(line) || /^error:|panicked/i.test(line));
}
