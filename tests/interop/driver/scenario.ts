/** Steps that several tests with Kituo share. */

import type { JamiDaemon } from "./daemon.ts";
import { KituoProcess } from "./kituo.ts";
import type { Network } from "./network.ts";

/** A member as the API tells it. */
interface Member {
  jamiId: string;
  role: string;
}

/** A commit as the API tells it. */
export interface ApiMessage {
  id: string;
  type: string;
  author: string;
  body: string;
  parents: string[];
}

/** A node that is announced, ready for requests of the daemons. */
export async function readyKituo(network: Network, name = "kituo", ...args: string[]): Promise<KituoProcess> {
  const kituo = await KituoProcess.start(network, name, { args });
  await kituo.waitReady();
  return kituo;
}

/** The daemon asks, Kituo's admin accepts; their one-to-one conversation, once both are in it. */
export async function askKituo(daemon: JamiDaemon, kituo: KituoProcess): Promise<string> {
  await daemon.addContact(kituo.jamiId);
  await acceptRequest(kituo, daemon.uri);
  const conversation = await daemon.conversationWith(kituo.jamiId);
  await daemon.waitMember(conversation, kituo.jamiId);
  return conversation;
}

/** Accepts the request with this id (of an account, or of a conversation) once it is there. */
export async function acceptRequest(kituo: KituoProcess, id: string, timeout?: number): Promise<void> {
  await kituo.until(`request ${id}`, async () => {
    const { requests } = await kituo.api<{ requests: { id: string }[] }>("GET", "/requests");
    return requests.some((request) => request.id === id);
  }, timeout);
  await kituo.api("POST", `/requests/${id}/accept`);
}

/** `owner` makes a group with Kituo and the others; its id, once all see all. */
export async function groupWithKituo(owner: JamiDaemon, kituo: KituoProcess, ...others: JamiDaemon[]): Promise<string> {
  const conversation = await owner.startGroup();
  await owner.invite(conversation, kituo.jamiId);
  await acceptRequest(kituo, conversation);
  await owner.waitMember(conversation, kituo.jamiId);
  for (const other of others) {
    await owner.invite(conversation, other.uri);
    await other.acceptGroup(conversation);
    await owner.waitMember(conversation, other.uri);
  }
  const accounts = [owner, ...others].map(({ uri }) => uri);
  for (const one of [owner, ...others]) {
    for (const account of [...accounts, kituo.jamiId]) await one.waitMember(conversation, account);
  }
  await waitKituoMembers(kituo, conversation, accounts);
  return conversation;
}

/** Until Kituo sees these accounts as joined members. */
export async function waitKituoMembers(kituo: KituoProcess, conversation: string, accounts: string[]): Promise<void> {
  await kituo.until("the members", async () => {
    const { members } = await kituo.api<{ members: Member[] }>("GET", `/conversations/${conversation}`);
    const joined = members.filter(({ role }) => role === "admin" || role === "member").map(({ jamiId }) => jamiId);
    return accounts.every((account) => joined.includes(account));
  });
}

/** All commits that Kituo has of a conversation, newest first. */
export async function kituoHistory(kituo: KituoProcess, conversation: string): Promise<ApiMessage[]> {
  const all: ApiMessage[] = [];
  for (;;) {
    const before = all.length ? `&before=${all[all.length - 1].id}` : "";
    const path = `/conversations/${conversation}/messages?limit=500${before}`;
    const { messages } = await kituo.api<{ messages: ApiMessage[] }>("GET", path);
    all.push(...messages);
    if (messages.length < 500) return all;
  }
}

/** Until Kituo has a text of each of these. */
export async function waitKituoTexts(
  kituo: KituoProcess,
  conversation: string,
  texts: string[],
  timeout?: number,
): Promise<void> {
  await kituo.until(`${texts.length} texts`, async () => {
    const bodies = new Set((await kituoHistory(kituo, conversation)).map(({ body }) => body));
    return texts.every((text) => bodies.has(text));
  }, timeout);
}

/** Posts the texts one after the other: each when the one before is committed, so that they have an order. */
export async function postInOrder(daemon: JamiDaemon, conversation: string, texts: string[]): Promise<void> {
  for (const text of texts) {
    const since = daemon.mark();
    await daemon.send(conversation, text);
    await daemon.waitText(conversation, text, { since });
  }
}

/** When Kituo's TLS link with a device came up for the last time, ms since 1970, by its log. */
export async function linkTime(kituo: KituoProcess, device: string): Promise<number> {
  const lines = (await kituo.logText()).split("\n").filter((line) =>
    line.includes("connected with") && line.includes(device)
  );
  const last = lines.at(-1);
  if (!last) throw new Error(`no link with ${device} in the log of ${kituo.name}`);
  return Date.parse(JSON.parse(last)["@timestamp"]);
}

/** `performance.now()` of an event as ms since 1970. */
export function wallTime(at: number): number {
  return performance.timeOrigin + at;
}
