/** What an admin may want to know of the node's place in the network, and a test of it. */

import { type Random, shuffled } from "../base/random.ts";
import type { Unasked } from "./arrivals.ts";
import * as limit from "./constants.ts";
import type { Network, RequestCounts } from "./network.ts";
import type { Node } from "./node.ts";
import type { Storage } from "./storage.ts";
import type { BootstrapHost, Upkeep } from "./upkeep.ts";
import type { AddressVotes } from "./votes.ts";

/** Counts are since the start, times in milliseconds since 1970 (0 = never). */
export interface DhtHealth {
  /** Values of others that are kept here. */
  stored: { values: number; bytes: number; maxBytes: number; maxValuesPerKey: number };
  requestsIn: RequestCounts;
  requestsOut: RequestCounts;
  /** Requests refused because of their rate. */
  limited: number;
  replies: number;
  lastReply: number;
  unasked: Unasked;
  bootstrap: readonly BootstrapHost[];
  /** Own addresses as others see them, most votes first in each family. */
  seenAs: { ip: string; votes: number }[];
}

/** What is looked at. */
export interface HealthParts {
  readonly network: Network;
  readonly storage: Storage;
  readonly upkeep: Upkeep;
  readonly votes: Record<4 | 6, AddressVotes>;
}

/** The numbers as they are now. */
export function healthOf({ network, storage, upkeep, votes }: HealthParts): DhtHealth {
  const { kindsIn, kindsOut, limited, replies, lastReply } = network.traffic;
  return {
    stored: {
      values: storage.remoteCount,
      bytes: storage.remoteBytes,
      maxBytes: limit.STORE_BYTES,
      maxValuesPerKey: limit.MAX_VALUES_PER_KEY,
    },
    requestsIn: { ...kindsIn },
    requestsOut: { ...kindsOut },
    limited,
    replies,
    lastReply,
    unasked: network.arrivals.unasked,
    bootstrap: upkeep.hosts,
    seenAs: [...votes[4].counts, ...votes[6].counts],
  };
}

/** Asks some of these nodes and all bootstrap hosts for a sign of life. @returns how many nodes were asked, and answered */
export async function testOf(
  { network, upkeep }: HealthParts,
  good: Node[],
  random: Random,
): Promise<{ asked: number; answered: number }> {
  const nodes = shuffled(random, good).slice(0, limit.TEST_NODES);
  const answers = nodes.map((node) =>
    new Promise<number>((done) => {
      network.request(node, { name: "ping" }, { reply: () => done(1), failed: () => done(0) });
    })
  );
  const [counts] = await Promise.all([Promise.all(answers), upkeep.ask()]);
  return { asked: nodes.length, answered: counts.reduce((sum, one) => sum + one, 0) };
}
