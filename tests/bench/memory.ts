/** Resident memory with one contact, and as a member of 50 groups. */

import { Network } from "../interop/driver/network.ts";
import { type Figure } from "./measure.ts";
import { kituoCommits, makeWorld } from "./world.ts";

const GROUPS = 50;

export async function memory(): Promise<Figure[]> {
  await using network = await Network.up();
  const { alice, headless, kituo } = await makeWorld(network);
  await restart();
  const idle = { kituo: await kituo.rss(), daemon: (await headless.stats()).rss };
  for (let i = 0; i < GROUPS; i++) {
    const conversation = await alice.startGroup();
    await alice.invite(conversation, kituo.jamiId);
    await alice.invite(conversation, headless.uri);
    await headless.acceptGroup(conversation);
    for (const uri of [kituo.jamiId, headless.uri]) await alice.waitMember(conversation, uri);
    await alice.send(conversation, "hello");
    await kituo.until("the commits", async () => await kituoCommits(kituo, conversation) >= 5);
  }
  await restart();
  const full = { kituo: await kituo.rss(), daemon: (await headless.stats()).rss };
  return [
    { what: "memory, idle", unit: "MiB", ...idle },
    { what: `memory, ${GROUPS} groups`, unit: "MiB", ...full },
  ];

  /** So that both are measured as they are after a start, connected with Alice, at rest. */
  async function restart(): Promise<void> {
    await kituo.stop();
    await headless.stop();
    await kituo.start();
    await kituo.waitReady();
    await headless.start();
    await headless.waitRegistered();
    await kituo.until(
      "a link with Alice",
      async () => (await kituo.api<{ connections: number }>("GET", "/node")).connections > 0,
    );
    await new Promise((resolve) => setTimeout(resolve, 10_000)); // at rest: measured memory, not an event to wait for
  }
}
