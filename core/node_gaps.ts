/**
 * What devices lack of conversations. Counting walks over the history, tens of milliseconds for a thousand devices; so what was
 * counted is kept, and only what has changed since is counted anew.
 */

import type { AccountId, DeviceId } from "./identity/ids.ts";
import type { DeviceHeads, Ledger } from "./store/ledger.ts";
import type { Conversation } from "./swarm/conversation.ts";
import type { Gap } from "./swarm/gaps.ts";
import type { Oid } from "./swarm/object.ts";

/** Commits that are counted for a device at most. */
const MOST = 10_000;

/** What a device lacks. */
export interface DeviceGap extends Gap {
  device: DeviceId;
  account: AccountId;
}

/** What was counted at a head. */
interface Counted {
  head: Oid;
  /** by what the devices held */
  byHeld: ReadonlyMap<string, Gap>;
  entries: readonly DeviceHeads[];
  gaps: readonly DeviceGap[];
}

/** What is asked of a conversation. */
type History = Pick<Conversation, "id" | "head" | "gapsOf">;

/** Counts for the lists of members and for the overview alike. */
export class NodeGaps {
  readonly #counted = new WeakMap<History, Counted>();

  constructor(private readonly ledger: Pick<Ledger, "forConversation">) {}

  /** The gap of each device that something is known of; the same array as long as nothing changes. */
  of(conversation: History): readonly DeviceGap[] {
    const entries = this.ledger.forConversation(conversation.id);
    const before = this.#counted.get(conversation);
    if (before && before.head === conversation.head && isSame(before.entries, entries)) return before.gaps;
    const byHeld = gapsByHeld(conversation, entries, before);
    const gaps = entries.map(({ device, account, heads }) => ({ device, account, ...gapIn(byHeld, heads) }));
    this.#counted.set(conversation, { head: conversation.head, byHeld, entries, gaps });
    return gaps;
  }
}

/** By what is held: devices that hold the same lack the same. */
function gapsByHeld(conversation: History, entries: readonly DeviceHeads[], before?: Counted): Map<string, Gap> {
  const byHeld = new Map<string, Gap>();
  const open = new Map<string, readonly Oid[]>();
  // what a device held at the earlier head lacks all that has come since, too: nobody holds what is not here
  const since = before && before.head !== conversation.head ? conversation.gapsOf([[before.head]], MOST)[0] : null;
  for (const { heads } of entries) {
    const held = heads.join();
    const known = before?.byHeld.get(held);
    if (known) byHeld.set(held, since ? together(known, since) : known);
    else open.set(held, heads);
  }
  const counted = open.size > 0 ? conversation.gapsOf([...open.values()], MOST) : [];
  [...open.keys()].forEach((held, i) => byHeld.set(held, counted[i]));
  return byHeld;
}

function together(before: Gap, since: Gap): Gap {
  return { count: Math.min(MOST, before.count + since.count), oldest: before.oldest ?? since.oldest };
}

function gapIn(byHeld: ReadonlyMap<string, Gap>, heads: readonly Oid[]): Gap {
  return byHeld.get(heads.join()) ?? { count: 0, oldest: null };
}

function isSame(before: readonly DeviceHeads[], now: readonly DeviceHeads[]): boolean {
  return before.length === now.length &&
    now.every(({ device, heads }, i) => device === before[i].device && heads.join() === before[i].heads.join());
}
