/** That a node under attack goes on: Alice and the node exchange messages all the time, and its memory stays bounded. */

import assert from "node:assert/strict";
import type { JamiDaemon } from "./daemon.ts";
import { errorsOf } from "./evidence.ts";
import type { KituoProcess } from "./kituo.ts";
import { waitKituoTexts } from "./scenario.ts";

const EXCHANGE_LIMIT = 10_000; // ms for a message in each direction: the machine is busy, with the attack itself too
const MEMORY_LIMIT = 128; // MiB more than before the attack; a runtime returns memory late

export class Witness {
  #stopped = false;
  #count = 0;
  readonly #talk: Promise<void>;

  private constructor(
    private readonly alice: JamiDaemon,
    private readonly kituo: KituoProcess,
    private readonly conversation: string,
    private readonly memory: number,
  ) {
    this.#talk = this.#run();
    this.#talk.catch(() => {}); // told by `testify`
  }

  /** Begins to talk; the memory of now is what later is compared with. */
  static async start(alice: JamiDaemon, kituo: KituoProcess, conversation: string): Promise<Witness> {
    return new Witness(alice, kituo, conversation, await kituo.rss());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#talk.catch(() => {}); // the test has failed already, or was told by `testify`
  }

  /** After the attack. @throws when the node suffered */
  async testify(): Promise<void> {
    this.#stopped = true;
    await this.#talk;
    await this.#exchange();
    assert(this.kituo.running);
    assert.equal((await this.kituo.request("GET", "/healthz")).status, 200);
    const grown = await this.kituo.rss() - this.memory;
    assert(grown < MEMORY_LIMIT, `memory has grown by ${Math.round(grown)} MiB`);
    assert.deepEqual(await errorsOf(this.kituo), []);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) await this.#exchange();
  }

  /** A message in each direction. */
  async #exchange(): Promise<void> {
    const [asked, answered] = [`are you there? ${++this.#count}`, `I am. ${this.#count}`];
    const { alice, kituo, conversation } = this;
    const since = alice.mark();
    await alice.send(conversation, asked);
    await waitKituoTexts(kituo, conversation, [asked], EXCHANGE_LIMIT);
    await kituo.api("POST", `/conversations/${conversation}/messages`, { body: answered });
    await alice.waitText(conversation, answered, { since, timeout: EXCHANGE_LIMIT });
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
