/** The room that moderates, over one node's conversations; other people write in them. */

import { Emitter } from "../../../core/base/events.ts";
import { Bans } from "../../../core/moderation/bans.ts";
import { Consequences } from "../../../core/moderation/consequences.ts";
import { Engine } from "../../../core/moderation/engine.ts";
import { Reports } from "../../../core/moderation/reports.ts";
import { ProtectionSettings } from "../../../core/moderation/settings.ts";
import type { DeliveryEvents } from "../../../core/relay/delivery.ts";
import type { FilesEvents } from "../../../core/relay/files.ts";
import { Groups } from "../../../core/relay/groups.ts";
import { OwedInvitations } from "../../../core/relay/owed_invitations.ts";
import type { Conversation } from "../../../core/swarm/conversation.ts";
import { Mode } from "../../../core/swarm/conversation_facts.ts";
import { alice, allOf, bring, type Place } from "../relay/support.ts";

/** Everything that moderates a node; the node is alice's. */
export interface Scene {
  settings: ProtectionSettings;
  bans: Bans;
  reports: Reports;
  consequences: Consequences;
  engine: Engine;
  groups: Groups;
  files: Emitter<FilesEvents> & { head: Uint8Array };
  /** How often those who are kept out changed. */
  enforced: number;
  /** Of whom the own devices were told. */
  keptOut: string[];
  stop(): Promise<void>;
}

/** Builds it; not started. */
export function scene({ store, clock, conversations }: Place): Scene {
  const owed = new OwedInvitations({
    store,
    clock,
    conversations,
    connected: () => [],
    onOwed: () => {},
    onSent: () => {},
    send: () => Promise.resolve(),
  });
  const self = alice.account;
  const delivery = new Emitter<DeliveryEvents>();
  const groups = new Groups({ store, clock, self, conversations, delivery, invitations: owed, onLeft: () => {} });
  const settings = new ProtectionSettings(store);
  const reports = new Reports({ store, clock });
  const readmit = (account: string) => {
    const contact = store.contacts.get(account);
    if (contact && store.contacts.isBanned(account)) store.contacts.put({ ...contact, banned: false });
    return contact !== undefined;
  };
  const scene = { enforced: 0, keptOut: new Array<string>() };
  const bans = new Bans({
    store,
    clock,
    self: alice,
    conversations,
    groups,
    contacts: { keepOut: (account) => scene.keptOut.push(account), readmit },
    enforce: () => scene.enforced++,
  });
  const isAllowed = (account: string) => settings.isAllowed(account);
  const consequences = new Consequences({ store, clock, self, bans, reports, isAllowed });
  const files = Object.assign(new Emitter<FilesEvents>(), {
    head: new Uint8Array(),
    beginning: () => Promise.resolve(files.head),
  });
  const engine = new Engine({ store, clock, self, conversations, files, settings, consequences, reports });
  const stop = async () => {
    await engine.stop();
    await bans.stop();
  };
  return Object.assign(scene, { settings, bans, reports, consequences, engine, groups, files, stop });
}

/** A group of alice's that the others have joined; theirs. */
export async function groupOf({ groups }: Scene, ...others: Place[]): Promise<[Conversation, ...Conversation[]]> {
  const group = await groups.create(Mode.invitesOnly);
  const copies: Conversation[] = [];
  for (const place of others) copies.push(await joinGroup(groups, group, place));
  for (const copy of copies) await bring(group, copy);
  return [group, ...copies];
}

/** Somebody joins a group of alice's. */
export async function joinGroup(groups: Groups, group: Conversation, place: Place): Promise<Conversation> {
  await groups.invite(group, place.identity.account);
  place.conversations.want(group.id, alice.account, 2);
  const copy = await place.conversations.finishClone(group.id, await allOf(group));
  if (!copy) throw new Error("the clone failed");
  await bring(copy, group);
  return copy;
}
