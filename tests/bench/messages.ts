/** A burst of messages: how fast the always-on member has them, and how fast another member has them from it. */

import { people } from "../interop/driver/daemon.ts";
import { Network } from "../interop/driver/network.ts";
import { type Figure } from "./measure.ts";
import { commits, fill, kituoCommits, makeWorld } from "./world.ts";

const COUNT = 500;

export async function messages(): Promise<Figure[]> {
  await using network = await Network.up();
  const { alice, headless, kituo } = await makeWorld(network);
  const [bob] = await people(network, "bob");
  const taken: Record<"kituo" | "daemon", number> = { kituo: 0, daemon: 0 };
  let handedOn = 0;
  for (const hub of ["kituo", "daemon"] as const) {
    const conversation = await alice.startGroup();
    const uri = hub === "kituo" ? kituo.jamiId : headless.uri;
    await alice.invite(conversation, uri);
    if (hub === "daemon") await headless.acceptGroup(conversation);
    await alice.waitMember(conversation, uri);
    const has = () => hub === "kituo" ? kituoCommits(kituo, conversation) : commits(headless, conversation);
    if (hub === "kituo") {
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
    }
    const before = await has();
    const since = bob.mark();
    const began = performance.now();
    const filled = fill(alice, conversation, COUNT);
    await kituo.until("all messages", async () => await has() >= before + COUNT, 120_000);
    taken[hub] = COUNT / (performance.now() - began) * 1000;
    await filled;
    if (hub === "kituo") {
      const { at } = await bob.waitText(conversation, `text ${COUNT}`, { since, timeout: 120_000 });
      handedOn = COUNT / (at - began) * 1000;
    }
  }
  return [
    { what: `${COUNT} messages taken in from a daemon that posts as fast as it can`, unit: "/s", ...taken },
    { what: `the same, handed on to a member who cannot reach the author`, unit: "/s", kituo: handedOn, daemon: null },
  ];
}
