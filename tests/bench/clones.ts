/** A long history cloned from the always-on member: by a real daemon, and by another Kituo. Nobody else who has it is online. */

import { type JamiDaemon, JamiDaemon as Daemon, SETTLE } from "../interop/driver/daemon.ts";
import { KituoProcess } from "../interop/driver/kituo.ts";
import { Network } from "../interop/driver/network.ts";
import { linkTime, wallTime } from "../interop/driver/scenario.ts";
import { type Figure } from "./measure.ts";
import { fill, kituoCommits, makeWorld, type World } from "./world.ts";

const SIZES = [1_000, 10_000];
const PATIENCE = 300_000; // ms
const GIVES_UP = 40_000; // ms: the daemon waits 30 s for an answer of the inviter
/** The client decides itself when to accept. */
const CLIENT_ARGS = ["--offer-contact", "false", "--log-level", "warning"];

export async function clones(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const size of SIZES) figures.push(...await clonesOf(size));
  return figures;
}

async function clonesOf(size: number): Promise<Figure[]> {
  await using network = await Network.up();
  const world = await makeWorld(network);
  const { alice, headless, kituo } = world;
  const conversation = await alice.startGroup();
  await fill(alice, conversation, size);

  // Both clone it from Alice: the same work, one after the other.
  await alice.invite(conversation, kituo.jamiId);
  const began = performance.now();
  await kituo.until("the clone", async () => await kituoCommits(kituo, conversation) >= size, PATIENCE);
  const cloned = { kituo: performance.now() - began, daemon: 0 };
  await alice.waitMember(conversation, kituo.jamiId);
  await alice.invite(conversation, headless.uri);
  await headless.until("the invitation", async () => (await headless.conversationRequests()).length > 0);
  cloned.daemon = await cloneByDaemon(headless, conversation);
  await alice.waitMember(conversation, headless.uri);

  // The clients are invited by Alice, who then goes.
  const served = { toKituo: { kituo: 0, daemon: 0 }, toDaemon: { kituo: 0, daemon: 0 } };
  for (const server of ["kituo", "daemon"] as const) {
    served.toDaemon[server] = await toDaemon(network, world, server, conversation);
    served.toKituo[server] = await toKituo(network, world, server, conversation, size);
  }
  const what = `${size} commits`;
  return [
    { what: `${what} cloned from a daemon`, unit: "ms", ...cloned },
    { what: `${what} served to a daemon`, unit: "ms", ...served.toDaemon },
    { what: `${what} served to Kituo`, unit: "ms", ...served.toKituo },
  ];
}

/** Accepts an invitation that is there; ms until the conversation is. */
async function cloneByDaemon(client: JamiDaemon, id: string): Promise<number> {
  const since = client.mark();
  const began = performance.now();
  await client.acceptGroup(id);
  const ready = await client.waitEvent("conversationReady", (args) => args[1] === id, { since, timeout: PATIENCE });
  return ready.at - began;
}

/** Leaves only the server online while `work` runs. */
async function alone(world: World, server: "kituo" | "daemon", work: () => Promise<number>): Promise<number> {
  const { alice, headless, kituo } = world;
  const other = server === "kituo" ? headless : kituo;
  await Promise.all([alice.stop(), other.stop()]);
  try {
    return await work();
  } finally {
    await alice.start();
    await other.start();
    await Promise.all([alice.waitRegistered(), other === kituo ? kituo.waitReady() : headless.waitRegistered()]);
  }
}

async function toDaemon(
  network: Network,
  world: World,
  server: "kituo" | "daemon",
  id: string,
): Promise<number> {
  await using client = await Daemon.start(network, `bob-${server}`);
  await client.createAccount();
  await client.waitRegistered({ settle: SETTLE });
  const inviter = server === "kituo" ? world.alice : world.headless;
  await inviter.invite(id, client.uri);
  await client.until("the invitation", async () => (await client.conversationRequests()).length > 0);
  await everyoneKnows(world, id, client.uri);
  return await alone(world, server, async () => {
    if (server === "daemon") return await cloneByDaemon(client, id);
    // 2023's daemon asks only the inviter, who is gone, and is deaf until it gives up. Then Kituo comes back, and is the one that makes the link.
    await world.kituo.stop();
    await client.acceptGroup(id);
    await new Promise((resolve) => setTimeout(resolve, GIVES_UP));
    const since = client.mark();
    await world.kituo.start();
    const ready = await client.waitEvent("conversationReady", (args) => args[1] === id, { since, timeout: PATIENCE });
    return wallTime(ready.at) - await linkTime(world.kituo, client.device);
  });
}

async function toKituo(
  network: Network,
  world: World,
  server: "kituo" | "daemon",
  id: string,
  size: number,
): Promise<number> {
  await using client = await KituoProcess.start(network, `client-${server}`, {
    args: CLIENT_ARGS,
  });
  await client.waitReady();
  const inviter: JamiDaemon = server === "kituo" ? world.alice : world.headless;
  await client.api("POST", "/contacts", { jamiId: inviter.uri });
  await inviter.acceptContact(client.jamiId);
  await inviter.invite(id, client.jamiId);
  await client.until("the invitation", async () => {
    return (await client.api<{ requests: { id: string }[] }>("GET", "/requests")).requests.some((request) =>
      request.id === id
    );
  });
  await everyoneKnows(world, id, client.jamiId);
  return await alone(world, server, async () => {
    if (server === "kituo") await world.kituo.stop();
    const began = performance.now();
    await client.api("POST", `/requests/${id}/accept`);
    if (server === "kituo") await world.kituo.start();
    await client.until("the clone", async () => await kituoCommits(client, id) >= size, PATIENCE);
    const ended = performance.now();
    return server === "kituo" ? wallTime(ended) - await linkTime(world.kituo, await deviceOf(client)) : ended - began;
  });
}

async function deviceOf(kituo: KituoProcess): Promise<string> {
  return (await kituo.api<{ deviceId: string }>("GET", "/node")).deviceId;
}

/** Until both always-on members have the invitation in their history. */
async function everyoneKnows({ headless, kituo }: World, id: string, uri: string): Promise<void> {
  await headless.waitMember(id, uri, ["invited", "member"]);
  await kituo.until("the invitation", async () => {
    const { members } = await kituo.api<{ members: { jamiId: string }[] }>("GET", `/conversations/${id}`);
    return members.some(({ jamiId }) => jamiId === uri);
  });
}
