/** The conversations of one node, people to write in them, and connections in memory. */

import { join } from "node:path";
import { Conversations } from "../../../core/relay/conversations.ts";
import type { Identity } from "../../../core/identity/identity.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import type { Conversation, Fetched } from "../../../core/swarm/conversation.ts";
import { missingObjects } from "../../../core/swarm/reachable.ts";
import { writeText } from "../../../core/swarm/write_messages.ts";
import { invite } from "../../../core/swarm/write_members.ts";
import { testIdentity } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

/** When everything in these tests begins. */
export const NOW = Date.parse("2026-11-21T12:00:00Z");

export const [alice, bob, carol] = await Promise.all([testIdentity(NOW), testIdentity(NOW), testIdentity(NOW)]);

/** The data folder of a node, opened. */
export interface Place {
  dir: string;
  identity: Identity;
  clock: VirtualClock;
  store: Store;
  conversations: Conversations;
}

/** Opens a data folder for `identity`; the caller closes it. */
export function openPlace(dir: string, identity: Identity, clock: VirtualClock): Place {
  const store = openStore(join(dir, "kituo.db"));
  const conversations = new Conversations({
    dir: join(dir, "conversations"),
    store,
    identity,
    clock,
    displayName: () => "Somebody",
  });
  return { dir, identity, clock, store, conversations };
}

/** Closes it, in order. */
export async function closePlace({ conversations, store }: Place): Promise<void> {
  await conversations.stop();
  store.close();
}

/** Runs `test` with the started conversations of one node for each identity. */
export async function withPlaces(identities: Identity[], test: (...places: Place[]) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kituo-relay-" });
  const clock = new VirtualClock(NOW);
  const places: Place[] = [];
  try {
    for (const [i, identity] of identities.entries()) {
      const dir = join(folder, `${i}`);
      await Deno.mkdir(dir);
      const place = openPlace(dir, identity, clock);
      places.push(place);
      await place.conversations.start();
    }
    await test(...places);
  } finally {
    for (const place of places) await closePlace(place).catch(() => {}); // reason: a test may have closed it
    await Deno.remove(folder, { recursive: true });
  }
}

/** Everything of a conversation, as a fetch from a node without anything would bring it. */
export async function allOf({ repository, head }: Conversation): Promise<Fetched> {
  const objects: Fetched["objects"] = new Map();
  for (const oid of await missingObjects(repository, head, [])) objects.set(oid, await repository.read(oid));
  return { head, objects };
}

/** Writes a text; its id. */
export async function post(conversation: Conversation, clock: VirtualClock, body: string): Promise<string> {
  await clock.advance(1_000);
  const [{ id }] = await conversation.write((context) => writeText(context, body));
  return id;
}

/** Invites an account into a group. */
export async function inviteTo(conversation: Conversation, clock: VirtualClock, account: string): Promise<void> {
  await clock.advance(1_000);
  await conversation.write((context) => invite(context, account));
}

/** Brings `to` up to date with `from`. */
export async function bring(from: Conversation, to: Conversation): Promise<void> {
  await to.take(await allOf(from));
}

/** The conversation that a test needs to be there. */
export function opened(place: Place, id: string): Conversation {
  const conversation = place.conversations.get(id);
  if (!conversation) throw new Error(`conversation ${id} is not open`);
  return conversation;
}
