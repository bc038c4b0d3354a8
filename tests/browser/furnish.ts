/** Fills what demo data cannot: the console's own accounts and a log of what they did, so that pages look lived in. */

import type { Admins } from "../../core/admins/admins.ts";
import type { Store } from "../../core/store/store.ts";
import type { Demo } from "../support/demo.ts";
import { furnishModeration } from "./furnish_moderation.ts";

const HOUR = 3_600_000;

/** Who owns the console of the tests. */
export const OWNER = { name: "Neema", password: "zebra monsoon ladder" };

/** The first admin, two others, an invitation, tokens, and a week of the audit log. */
export async function furnish(admins: Admins, store: Store, demo: Demo, url: string): Promise<void> {
  const site = { origin: url, rpId: "localhost" };
  noteAWeek(store, demo);
  refuse(store, demo);
  furnishModeration(store, demo);
  await admins.setUp(admins.newSetupSecret() ?? "", OWNER, site);
  for (const [role, name] of [["moderator", "Wanjiru Kamau"], ["viewer", "Statusboard"]] as const) {
    const { secret } = admins.invite(role, HOUR, OWNER.name);
    const { actor } = await admins.accept(secret, { name, password: OWNER.password }, site);
    admins.describeSession(actor.session ?? "", "192.0.2.41", "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0");
  }
  store.ownDevices.put({ device: "5a".repeat(32), name: "Kituo cha Lamu", seen: Date.now() - HOUR });
  store.ownDevices.put({ device: "b3".repeat(32), name: "Neema's phone", seen: Date.now() - 40 * HOUR });
  admins.invite("moderator", 3 * 24 * HOUR, OWNER.name);
  admins.addToken("prometheus", "viewer", null, OWNER.name);
  admins.addToken("nightly-export", "owner", 90 * 24 * HOUR, OWNER.name);
}

/** Two histories that are refused in the demo's group: one for a rule, one that can never be accepted. */
export function refuse(store: Store, { group }: Demo): void {
  const [account = "", other = ""] = store.ledger.forConversation(group).map(({ account }) => account);
  const common = { conversation: group, account, device: "d0".repeat(32), received: Date.now() - 5 * HOUR, bytes: 0 };
  store.refused.put({
    ...common,
    head: "a1".repeat(20),
    commit: "a0".repeat(20),
    reason: "Malformed profile updates commit",
    detail: "the author is a member, and only admins may change the profile",
    type: "application/update-profile",
    author: other,
    overridable: true,
  });
  store.refused.put({
    ...common,
    head: "b1".repeat(20),
    commit: "b0".repeat(20),
    reason: "Missing object",
    detail: "tree 5d1f0c",
    type: "text/plain",
    overridable: false,
  });
}

function noteAWeek(store: Store, { group, requests }: Demo): void {
  const now = Date.now();
  const note = (hoursAgo: number, actor: string, action: string, target = "", detail = "", address = "192.0.2.17") =>
    store.audit.append(
      { actor, address: actor === "system" ? "" : address, action, target, detail },
      now - hoursAgo * HOUR,
    );
  const member = "5e1f".repeat(10);
  note(168, "Neema", "node.setup", "Relay Pwani");
  note(167, "Neema", "admin.invite", "moderator");
  note(165, "Wanjiru Kamau", "admin.join", "Wanjiru Kamau", "", "192.0.2.41");
  note(140, "Neema", "token.create", "prometheus viewer");
  note(122, "Wanjiru Kamau", "session.begin", "Wanjiru Kamau", "", "192.0.2.41");
  note(121.5, "Wanjiru Kamau", "request.accept", requests[0], "", "192.0.2.41");
  note(121.4, "Wanjiru Kamau", "request.block", requests[3], "", "192.0.2.41");
  note(96, "Neema", "conversation.update", group);
  note(95, "Neema", "member.invite", `${group} ${member}`);
  note(74, "", "session.refuse", "Neema", "password", "203.0.113.99");
  note(73.9, "", "session.refuse", "Neema", "password", "203.0.113.99");
  note(50, "Wanjiru Kamau", "conversation.reveal", group, "a member reported abuse", "192.0.2.41");
  note(49.8, "Wanjiru Kamau", "member.ban", `${group} ${member}`, "advertising after two warnings", "192.0.2.41");
  note(26, "system", "commit.alert", group, "a revoked device wrote");
  note(25, "Neema", "passkey.add", "phone");
  note(3, "Neema", "session.begin", "Neema");
}
