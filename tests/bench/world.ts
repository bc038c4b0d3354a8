/** The world of the benchmarks: a headless daemon and Kituo as the two always-on members, real daemons as people. */

import { type JamiDaemon, JamiDaemon as Daemon, people, SETTLE } from "../interop/driver/daemon.ts";
import type { KituoProcess } from "../interop/driver/kituo.ts";
import type { Network } from "../interop/driver/network.ts";
import { readyKituo } from "../interop/driver/scenario.ts";

/** Kituo as it is run for the benchmarks: it accepts whoever asks, and asks nobody. */
export const KITUO_ARGS = ["--accept-requests", "anyone", "--offer-contact", "false", "--log-level", "info"];

export interface World {
  alice: JamiDaemon;
  /** The daemon that people run as an always-on member today: without a client. */
  headless: JamiDaemon;
  kituo: KituoProcess;
}

/** Alice, the headless daemon and Kituo, ready and contacts of Alice. */
export async function makeWorld(network: Network): Promise<World> {
  const kituo = await readyKituo(network, "kituo", ...KITUO_ARGS);
  const [alice] = await people(network, "alice");
  const headless = await Daemon.start(network, "headless", { client: false });
  await headless.createAccount();
  await headless.waitRegistered({ settle: SETTLE });
  await alice.addContact(kituo.jamiId);
  await alice.addContact(headless.uri);
  await headless.acceptContact(alice.uri);
  for (const uri of [kituo.jamiId, headless.uri]) await alice.waitMember(await alice.conversationWith(uri), uri);
  return { alice, headless, kituo };
}

/** Posts `count` texts as fast as the daemon commits them. */
export async function fill(daemon: JamiDaemon, conversation: string, count: number, prefix = "text"): Promise<void> {
  const since = daemon.mark();
  const last = `${prefix} ${count}`;
  for (let i = 1; i < count; i++) await daemon.send(conversation, `${prefix} ${i}`);
  let [seen, at] = [0, since];
  await daemon.until("the texts", () => {
    for (; at < daemon.events.length; at++) {
      const { name, args } = daemon.events[at];
      if (name === "messageReceived" && args[1] === conversation) seen++;
    }
    return Promise.resolve(seen >= count - 1);
  }, 600_000);
  await daemon.send(conversation, last); // the daemon keeps no order in a burst: the last one alone is surely the last
  await daemon.waitText(conversation, last, { since, timeout: 60_000 });
}

/** Commits of the daemon's own copy. */
export async function commits(daemon: JamiDaemon, conversation: string): Promise<number> {
  return Number((await daemon.git(conversation, "rev-list", "--count", "main")).trim() || 0);
}

/** Commits that Kituo has. */
export async function kituoCommits(kituo: KituoProcess, conversation: string): Promise<number> {
  const { conversations } = await kituo.api<{ conversations: { id: string; commits: number }[] }>(
    "GET",
    "/conversations",
  );
  return conversations.find(({ id }) => id === conversation)?.commits ?? 0;
}
