/**
 * A node that becomes a device of another account, in place: the new identity is written aside whole, the node stops, the folders
 * change places, and a new node starts. A crash in between leaves one or the other identity (`settleIdentity`).
 */

import { getLogger } from "@logtape/logtape";
import { dirname } from "node:path";
import { systemClock } from "./base/clock.ts";
import { messageOf } from "./base/errors.ts";
import type { Config } from "./config.ts";
import { ArchiveError } from "./identity/archive.ts";
import { IdentityError } from "./identity/identity.ts";
import { importArchive } from "./identity/import.ts";
import { NodeError } from "./node_api.ts";
import type { ImportFault, ImportState } from "./node_api_setup.ts";
import { databasePath, identityPath } from "./store/places.ts";
import { openStore } from "./store/store.ts";

const log = getLogger(["kituo", "node"]);

/** What a node asks of whoever runs it. */
export interface Takeover {
  readonly importing: ImportState;
  /**
   * @param mayStill asked again when the node is about to stop: the keys take seconds
   * @throws {NodeError} "conflict" when one is under way
   */
  begin(file: Uint8Array, password: string, mayStill: () => boolean): void;
}

/** For a node that nobody can start again, in tests for example. */
export const NO_TAKEOVER: Takeover = {
  importing: { state: "none" },
  begin() {
    throw new NodeError("conflict", "This node cannot be started again from here.");
  },
};

/** A node as it is run here. */
export interface Replaceable {
  start(): Promise<void>;
  stop(): Promise<void>;
  info(): { jamiId: string };
}

/** What stands around the node. */
export interface Surroundings<N> {
  /** makes the node of the data folder as it is now */
  create(): Promise<N>;
  /** The node is about to stop: nobody may be led to it. */
  onStop(): void;
  /** There is a node again. */
  onStart(node: N): void;
  /** There is none, and none can be made. */
  onLost(error: unknown): void;
}

/** Where an identity waits for its place, and where the one before goes: its key may be wanted, for a registered name say. */
const aside = (data: string) => `${identityPath(data)}-import`;
const former = (data: string) => `${identityPath(data)}-before-import`;

/** Before a node is made: finishes or undoes what a crash cut. */
export async function settleIdentity(data: string): Promise<void> {
  const dir = identityPath(data);
  if (await isThere(aside(data))) {
    if (await isThere(dir)) await Deno.remove(aside(data), { recursive: true });
    else await moved(aside(data), dir);
  } else if (!await isThere(dir) && await isThere(former(data))) await moved(former(data), dir);
}

/** Runs the imports of one data folder. */
export class Takeovers<N extends Replaceable> implements Takeover {
  #state: ImportState = { state: "none" };
  #node: N | null = null;
  #around: Surroundings<N> | null = null;
  #stopped = false;

  constructor(private readonly config: Pick<Config, "data">) {}

  /** The node that runs, and what is around it: before that nothing can be imported. */
  attach(node: N, around: Surroundings<N>): void {
    [this.#node, this.#around] = [node, around];
  }

  /** Stops the node that runs, and starts no other. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#node?.stop();
  }

  /** The node that runs now. */
  get node(): N | null {
    return this.#node;
  }

  get importing(): ImportState {
    return this.#state;
  }

  begin(file: Uint8Array, password: string, mayStill: () => boolean): void {
    if (!this.#around) throw new NodeError("conflict", "The node is only starting.");
    if (this.#state.state === "running") throw new NodeError("conflict", "An archive is being imported already.");
    this.#state = { state: "running", step: "open" };
    this.#run(file, password, mayStill, this.#around).then(
      (jamiId) => this.#state = { state: "done", jamiId },
      (error) => {
        log.warn("an archive was not imported: {error}", { error: messageOf(error) });
        this.#state = { state: "failed", fault: faultOf(error) };
      },
    );
  }

  async #run(file: Uint8Array, password: string, mayStill: () => boolean, around: Surroundings<N>): Promise<string> {
    const place = aside(this.config.data);
    await removed(place);
    await importArchive(place, file, {
      password,
      now: systemClock.now(),
      onStep: (step) => this.#state = { state: "running", step },
    });
    if (!mayStill()) throw new NodeError("conflict", "somebody got to know this node meanwhile");
    this.#state = { state: "running", step: "restart" };
    await removed(former(this.config.data));
    return await this.#replace(around);
  }

  async #replace(around: Surroundings<N>): Promise<string> {
    const { data } = this.config;
    const dir = identityPath(data);
    around.onStop();
    try {
      await this.#node?.stop();
      this.#node = null;
      await moved(dir, former(data));
      await moved(aside(data), dir);
      forgetRequests(data);
      return await this.#start(around);
    } catch (error) {
      await this.#goBack().then(() => this.#start(around)).catch((again) => {
        if (!this.#stopped) around.onLost(again);
      });
      throw error;
    }
  }

  /** Puts the identity that worked before into its place again. */
  async #goBack(): Promise<void> {
    const { data } = this.config;
    const dir = identityPath(data);
    if (await isThere(former(data))) {
      if (await isThere(dir)) await moved(dir, aside(data));
      await moved(former(data), dir);
    }
    await removed(aside(data));
  }

  async #start(around: Surroundings<N>): Promise<string> {
    if (this.#stopped) throw new NodeError("conflict", "the node stops");
    const node = await around.create();
    try {
      await node.start();
    } catch (error) {
      await node.stop();
      throw error;
    }
    this.#node = node;
    around.onStart(node);
    return node.info().jamiId;
  }
}

/** Requests went to the account before: nobody can answer them any more. */
function forgetRequests(data: string): void {
  const store = openStore(databasePath(data));
  try {
    store.transaction(() => {
      for (const { account } of store.trustRequests.all()) store.trustRequests.delete(account);
      for (const { conversation } of store.conversationRequests.all()) store.conversationRequests.delete(conversation);
    });
  } finally {
    store.close();
  }
}

function faultOf(error: unknown): ImportFault {
  if (error instanceof ArchiveError) return error.reason;
  return error instanceof IdentityError ? "not valid" : "failed";
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removed(path: string): Promise<void> {
  if (await isThere(path)) await Deno.remove(path, { recursive: true });
}

/** Moves a folder, durably. */
async function moved(from: string, to: string): Promise<void> {
  await Deno.rename(from, to);
  using folder = await Deno.open(dirname(to));
  await folder.sync();
}
