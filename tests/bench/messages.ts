/** A burst of messages: how fast the always-on member has them, and how fast another member has them from it. */

import { type JamiDaemon, people } from "../interop/driver/daemon.ts";
import { Network } from "../interop/driver/network.ts";
import { type Figure } from "./measure.ts";
import { commits, fill, kituoCommits, makeWorld, type World } from "./world.ts";

const COUNT = 500;

export async function messages(): Promise<Figure[]> {
  await using network = await Network.up();
  const world = await makeWorld(network);
  const [bob] = await people(network, "bob");
  const kituo = await takenIn(world, "kituo");
  const daemon = await takenIn(world, "daemon");
  return [
    { what: `${COUNT} messages taken in from a daemon that posts as fast as it can`, unit: "/s", kituo, daemon },
    {
      what: `${COUNT} handed on at once to a member who cannot reach the author`,
      unit: "/s",
      kituo: await handedOn(network, world, bob),
      daemon: null,
    },
  ];
}

/** In a group of the author and the always-on member, messages a second until that one has all. */
async function takenIn({ alice, headless, kituo }: World, hub: "kituo" | "daemon"): Promise<number> {
  const conversation = await alice.startGroup();
  const uri = hub === "kituo" ? kituo.jamiId : headless.uri;
  await alice.invite(conversation, uri);
  if (hub === "daemon") await headless.acceptGroup(conversation);
  await alice.waitMember(conversation, uri);
  const has = () => hub === "kituo" ? kituoCommits(kituo, conversation) : commits(headless, conversation);
  const before = await has();
  const began = performance.now();
  const filled = fill(alice, conversation, COUNT);
  await kituo.until("all messages", async () => await has() >= before + COUNT, 120_000);
  const rate = COUNT / (performance.now() - began) * 1000;
  await filled;
  return rate;
}

/** In a group of the author, Kituo and Bob, who is cut off from the author: messages a second until Bob has all. */
async function handedOn(network: Network, { alice, kituo }: World, bob: JamiDaemon): Promise<number> {
  const conversation = await alice.startGroup();
  await alice.invite(conversation, kituo.jamiId);
  await alice.waitMember(conversation, kituo.jamiId);
  await alice.invite(conversation, bob.uri);
  await bob.acceptGroup(conversation);
  await alice.waitMember(conversation, bob.uri);
  await kituo.until(
    "Bob",
    async () => await kituoCommits(kituo, conversation) >= await commits(alice, conversation),
  );
  await bob.stop();
  await network.cut(alice.host, bob.host);
  await bob.start();
  await kituo.until(
    "Bob's link",
    async () => (await kituo.api<{ connections: number }>("GET", "/node")).connections >= 2,
  );
  const since = bob.mark();
  const began = performance.now();
  await fill(alice, conversation, COUNT);
  const { at } = await bob.waitText(conversation, `text ${COUNT}`, { since, timeout: 120_000 });
  return COUNT / (at - began) * 1000;
}
