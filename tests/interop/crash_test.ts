/** A node that is killed again and again while messages come loses nothing and needs nobody to repair it. */

import assert from "node:assert/strict";
import { seededRandom } from "../../core/base/random.ts";
import { group, type JamiDaemon, people } from "./driver/daemon.ts";
import { assertClean, assertSound, errorsOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { addNode, inviteNode, openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";
import { kituoHistory, waitKituoTexts } from "./driver/scenario.ts";

const SEED = Number(Deno.env.get("KITUO_SEED") ?? 20_26);
const KILLS = 20;
const POST_EVERY = 120; // ms: something is on its way at nearly every moment
const MOMENTS = 1_200; // ms: a kill comes at a random moment of this span
const STARTUP = 3_000; // ms: or, every fourth one, at a random moment of the start

interopTest("killed 20 times while Alice posts, a node loses nothing", async () => {
  await using network = await Network.up();
  const [alice, bob] = await people(network, "alice", "bob");
  await using _alice = alice, _bob = bob;
  await using kituo = await openNode(network);
  await addNode(alice, kituo);
  const conversation = await group(alice, bob);
  await inviteNode(alice, kituo, conversation);
  await bob.waitMember(conversation, kituo.jamiId);
  await bob.stop();

  const random = seededRandom(SEED);
  await using posting = new Posting(alice, conversation);
  let midway = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const starting = kill === 0 || kituo.running ? null : kituo.start().catch(() => {});
    if (kill % 4 === 3) await pause(random.float() * STARTUP);
    else {
      await starting;
      // Connected and taking in: then at any moment of what it does with what comes.
      const before = await commits(kituo, conversation);
      await kituo.until("news of Alice", async () => await commits(kituo, conversation) > before);
      await pause(random.float() * MOMENTS);
      midway++;
    }
    await kituo.kill();
    await starting;
    await assertClean(kituo, conversation);
  }
  assert.equal(midway, 15);
  const texts = await posting.stop();
  assert(texts.length > KILLS, `only ${texts.length} messages were posted`);

  await kituo.start();
  await waitKituoTexts(kituo, conversation, texts);
  await alice.kill(); // asked to stop, jamid may hang
  const history = await kituoHistory(kituo, conversation);
  assert.equal(history.filter(({ type }) => type === "text/plain").length, texts.length);
  await assertSound(kituo, conversation);

  const since = bob.mark();
  await bob.start();
  for (const text of texts) await bob.waitText(conversation, text, { since });
  assert.deepEqual(await errorsOf(kituo), []);
});

/** Alice posts until told to stop. */
class Posting {
  #texts: string[] = [];
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(private readonly alice: JamiDaemon, private readonly conversation: string) {
    this.#done = this.#run();
    this.#done.catch(() => {}); // told by `stop`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#done.catch(() => {}); // reason: the test has failed already, or was told by `stop`
  }

  /** All texts that Alice has in her history. */
  async stop(): Promise<string[]> {
    this.#stopped = true;
    await this.#done;
    return this.#texts;
  }

  async #run(): Promise<void> {
    const since = this.alice.mark();
    while (!this.#stopped) {
      const text = `message ${this.#texts.length}`;
      this.#texts.push(text);
      await this.alice.send(this.conversation, text);
      await pause(POST_EVERY);
    }
    for (const text of this.#texts) await this.alice.waitText(this.conversation, text, { since });
  }
}

async function commits(kituo: KituoProcess, conversation: string): Promise<number> {
  return (await kituo.api<{ commits: number }>("GET", `/conversations/${conversation}`)).commits;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
