/** Fills the pages of protection: what protections found, who is held and banned, what was reported, a list. */

import { createHash } from "node:crypto";
import type { Store } from "../../core/store/store.ts";
import type { Demo } from "../support/demo.ts";

const HOUR = 3_600_000;

const account = (name: string) => createHash("sha1").update(name).digest("hex");
const commit = (name: string) => createHash("sha1").update(`commit ${name}`).digest("hex");

/** A day of moderation in the demo's group. */
export function furnishModeration(store: Store, { group: conversation }: Demo): void {
  const now = Date.now();
  const act = (
    hours: number,
    protection: string,
    who: string,
    dry: boolean,
    reason: string,
    outcome: "noted" | "done" | "failed",
  ) =>
    store.protectionActions.add({
      at: now - hours * HOUR,
      protection,
      conversation,
      account: account(who),
      device: "d".repeat(64),
      commit: commit(who),
      consequence: protection === "flood" ? "ban" : "hold",
      dry,
      reason,
      outcome,
      detail: outcome === "failed" ? "this node is no admin of the group" : "",
    }, 1_000);
  act(20, "flood", "a", true, "more than 10 messages within 30 s", "noted");
  act(9, "first-message", "b", false, "a link of a new member", "failed");
  act(2, "files", "c", false, "a file of the kind .exe", "done");
  const held = { by: "system", at: now - 2 * HOUR, expires: null, held: true };
  store.conversationBans.put({
    conversation,
    target: account("h"),
    reason: "join-wave: joined when 10 others had within 10 min",
    ...held,
  });
  store.heldFiles.put({
    conversation,
    file: commit("c"),
    account: account("c"),
    reason: "a file of the kind .exe",
    at: now - 2 * HOUR,
  });
  const by = { by: "Wanjiru Kamau", at: now - 30 * HOUR };
  store.conversationBans.put({
    conversation,
    target: account("g"),
    held: false,
    reason: "advertising after two warnings",
    ...by,
    expires: now + 100 * HOUR,
  });
  store.nodeBans.put({ target: account("n"), reason: "sends malware to everybody", ...by, expires: null });
  store.nodeBans.put({ target: "e".repeat(64), reason: "a stolen phone", ...by, expires: now + 700 * HOUR });
  const report = { commit: commit("r"), conversation };
  store.reports.add({
    at: now - HOUR,
    kind: "report",
    account: account("r"),
    text: "somebody is rude to the new ones",
    ...report,
  }, 100);
  store.reports.add({
    at: now - 3 * HOUR,
    kind: "finding",
    account: account("b"),
    text: "first-message: a link of a new member",
    ...report,
  }, 100);
  const list = {
    id: "0123456789abcdef",
    name: "Pwani community list",
    url: "https://lists.example.org/pwani.json",
    allowPrivate: false,
    interval: 86_400,
    etag: "",
    fetched: now - 5 * HOUR,
    next: now + 19 * HOUR,
    failures: 0,
    error: "",
    added: now - 200 * HOUR,
    addedBy: "Neema",
  };
  store.banLists.replace(list, [{ target: account("n"), reason: "malware", expires: null }, {
    target: account("z"),
    reason: "",
    expires: null,
  }]);
  store.banLists.put({
    ...list,
    id: "fedcba9876543210",
    name: "",
    url: "https://bans.example.net/all.json",
    fetched: 0,
    failures: 1,
    error: "the server answers with status 503",
  });
}
