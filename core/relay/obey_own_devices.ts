/** The other devices of the own account are told what happens here, and what they tell is obeyed (swarm-sync.md 4). */

import { getLogger } from "@logtape/logtape";
import type { Contacts } from "../account/contacts.ts";
import type { Oid } from "../swarm/object.ts";
import type { Conversations } from "./conversations.ts";
import type { Invitations } from "./invitations.ts";
import type { OwnDevices } from "./own_devices.ts";

const log = getLogger(["kituo", "relay"]);

export interface OwnDevicesAndOthers {
  contacts: Contacts;
  ownDevices: OwnDevices;
  conversations: Conversations;
  invitations: Invitations;
  /** Clones what another own device has. */
  clone(id: Oid): void;
}

/** Connects them, for as long as they live. */
export function obeyOwnDevices({ contacts, ownDevices, conversations, invitations, clone }: OwnDevicesAndOthers): void {
  contacts.on("changed", ({ account }) => ownDevices.changed({ contact: account }));
  contacts.on("request", ({ account }) => ownDevices.changed({ trustRequest: account }));
  contacts.on("declined", ({ conversation }) => ownDevices.changed({ conversation }));
  invitations.on("invitation", ({ conversation }) => ownDevices.changed({ conversation }));
  invitations.on("declined", ({ conversation }) => ownDevices.changed({ conversation }));
  conversations.on("changed", ({ id }) => ownDevices.changed({ conversation: id }));
  ownDevices.on("merged", (changes) => {
    contacts.onNoted(changes.contacts, changes.trustRequests);
    for (const id of changes.wanted) {
      conversations.takeUp(id);
      clone(id);
    }
    for (const id of changes.left) conversations.leave(id);
    for (const id of changes.erased) {
      conversations.erase(id).catch((error) => log.error("erasing {id} failed: {error}", { id, error }));
    }
    for (const id of changes.invitations) invitations.onNoted(id);
  });
}
