/** Whether all histories are equal and sound in the end. What counts is what lies on the disks of daemons and nodes, and what the nodes say of it. */

import type { JamiDaemon } from "../interop/driver/daemon.ts";
import { assertSound, errorsOf, repositoryOf } from "../interop/driver/evidence.ts";
import type { KituoProcess } from "../interop/driver/kituo.ts";
import type { World } from "./world.ts";

const DISPLAYED = "3"; // jamid's status of a message that a member has seen

/** What one peer holds of a conversation. */
interface Holding {
  peer: JamiDaemon | KituoProcess;
  account: string;
  isNode: boolean;
  path: string;
  /** Its commits, merges aside: everybody writes merges of his own, and nobody tells of them. */
  commits: Set<string>;
  tree: string;
  /** Accounts that are in the group by its present state, and those that are invited. */
  joined: Set<string>;
  invited: Set<string>;
}

/** Something that two who are in a conversation together do not have alike. */
export interface Difference {
  conversation: string;
  what: string;
}

/** All conversations that a node has on its disk. */
export async function conversationsOf(world: World): Promise<string[]> {
  const ids = new Set<string>();
  for (const node of world.nodes) {
    for await (const { name } of Deno.readDir(`${node.data}/conversations`)) {
      if (/^[0-9a-f]{40}\.git$/.test(name)) ids.add(name.slice(0, 40));
    }
  }
  return [...ids].sort();
}

/** How the histories of those who are in it together differ, seen from the nodes. */
export async function differences(world: World, conversation: string): Promise<Difference[]> {
  const holdings = (await Promise.all([
    ...world.nodes.map((node) => heldByNode(node, conversation)),
    ...world.daemons.map((daemon) => heldByDaemon(daemon, conversation)),
  ])).filter((holding) => holding !== null);
  const found: Difference[] = [];
  for (const node of holdings.filter(({ isNode }) => isNode)) {
    for (const other of holdings) {
      if (other === node || !node.joined.has(other.account) || !other.joined.has(node.account)) continue;
      const lacking = [...other.commits].filter((id) => !node.commits.has(id));
      const surplus = [...node.commits].filter((id) => !other.commits.has(id));
      const parts = [
        ...lacking.length ? [`${node.peer.name} lacks ${lacking.length} of ${other.peer.name}'s commits`] : [],
        ...surplus.length ? [`${other.peer.name} lacks ${surplus.length} of ${node.peer.name}'s commits`] : [],
      ];
      if (parts.length === 0) parts.push(...await subtleties(conversation, node, other));
      if (parts.length) found.push({ conversation, what: parts.join(", ") });
    }
  }
  for (const node of world.nodes) found.push(...await absence(world, node, conversation, holdings));
  return found;
}

/** A node that is to clone a conversation gets it from anybody who has it; one that has joined and did not leave has it. */
async function absence(
  world: World,
  node: KituoProcess,
  conversation: string,
  holdings: Holding[],
): Promise<Difference[]> {
  if (holdings.some(({ peer }) => peer === node)) return [];
  const state = await stateAt(node, conversation);
  const isExpected = ({ isNode, joined, invited }: Holding) =>
    state === "cloning" && (joined.has(node.jamiId) || invited.has(node.jamiId)) ||
    isNode && joined.has(node.jamiId) && !world.left.has(`${node.name} ${conversation}`);
  const witness = holdings.find(isExpected);
  const what = `${node.name} does not have what it is in with ${witness?.peer.name} (${state ?? "unknown to it"})`;
  return witness ? [{ conversation, what }] : [];
}

/** With equal commits: two nodes are in the same state, and a node knows that a daemon has everything. */
async function subtleties(conversation: string, node: Holding, other: Holding): Promise<string[]> {
  if (other.isNode) {
    return node.tree === other.tree ? [] : [`${node.peer.name} and ${other.peer.name} have different trees`];
  }
  if ("uri" in node.peer || !("uri" in other.peer)) return [];
  const { device } = other.peer;
  const { members } = await node.peer.api<{ members: { devices: { deviceId: string; lag: number | null }[] }[] }>(
    "GET",
    `/conversations/${conversation}`,
  );
  const lag = members.flatMap(({ devices }) => devices).find(({ deviceId }) => deviceId === device)?.lag;
  return lag === 0 ? [] : [`${node.peer.name} thinks that ${other.peer.name} lacks ${lag ?? "an unknown number"}`];
}

async function heldByNode(node: KituoProcess, conversation: string): Promise<Holding | null> {
  if (await stateAt(node, conversation) !== "active") return null;
  return await held(node, node.jamiId, true, repositoryOf(node, conversation));
}

async function stateAt(node: KituoProcess, conversation: string): Promise<string | undefined> {
  const { conversations } = await node.api<{ conversations: { id: string; state: string }[] }>(
    "GET",
    "/conversations?limit=1000",
  );
  return conversations.find(({ id }) => id === conversation)?.state;
}

async function heldByDaemon(daemon: JamiDaemon, conversation: string): Promise<Holding | null> {
  if (!(await daemon.conversations()).includes(conversation)) return null;
  return await held(daemon, daemon.uri, false, daemon.repoPath(conversation));
}

/** Null: there is nothing, or nothing that the peer has joined. */
async function held(
  peer: JamiDaemon | KituoProcess,
  account: string,
  isNode: boolean,
  path: string,
): Promise<Holding | null> {
  const head = await git(path, "rev-parse", "--verify", "--quiet", "refs/heads/main");
  if (!head) return null;
  const [commits, tree, files] = await Promise.all([
    git(path, "rev-list", "--no-merges", head),
    git(path, "rev-parse", `${head}^{tree}`),
    git(path, "ls-tree", "-r", "--name-only", head),
  ]);
  const joined = [...files.matchAll(/^(?:admins|members)\/([0-9a-f]{40})\.crt$/gm)].map(([, id]) => id);
  const invited = new Set([...files.matchAll(/^invited\/([0-9a-f]{40})$/gm)].map(([, id]) => id));
  if (!joined.includes(account)) return null;
  return { peer, account, isNode, path, commits: new Set(commits.split("\n")), tree, joined: new Set(joined), invited };
}

/** Standard output; empty when git fails. */
async function git(path: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command("git", { args: ["-c", "safe.directory=*", "-C", path, ...args], stderr: "null" });
  const { success, stdout } = await command.output();
  return success ? new TextDecoder().decode(stdout).trim() : "";
}

/** Faults of a node alone: its repositories, its promises, its log, what it told others that it must not tell. */
export async function faults(world: World): Promise<string[]> {
  const found: string[] = [];
  for (const node of world.nodes) {
    for (const line of await errorsOf(node)) found.push(`${node.name} logged: ${line.slice(0, 500)}`);
    for (const conversation of await conversationsOf(world)) {
      if (await heldByNode(node, conversation) === null) continue;
      try {
        await assertSound(node, conversation);
      } catch (error) {
        found.push(`${node.name}'s ${conversation} is not sound: ${error}`);
      }
    }
  }
  for (const { node: name, conversation, commit } of world.promised) {
    const node = world.nodes.find((one) => one.name === name);
    if (!node || world.left.has(`${name} ${conversation}`)) continue;
    const all = await git(repositoryOf(node, conversation), "rev-list", "refs/heads/main");
    if (!all.includes(commit)) found.push(`${name} lost ${commit} of ${conversation}, which it had called durable`);
  }
  return [...found, ...indiscretions(world)];
}

/** A node never says that it has displayed something, nor that it is typing. */
function indiscretions(world: World): string[] {
  const nodes = world.nodes.map(({ jamiId }) => jamiId);
  return world.daemons.flatMap(({ name, events }) =>
    events.filter((event) => {
      const [, , peer, , status] = event.args;
      if (event.name === "accountMessageStatusChanged") return nodes.includes(`${peer}`) && `${status}` === DISPLAYED;
      return event.name === "composingStatusChanged" && nodes.includes(`${peer}`);
    }).map((event) => `${name} got ${event.name} of a node`)
  );
}
