/** Which commits change what others show, and which have no entry of their own (swarm-repository.md 2.2, 6). */

import type { Relation } from "../store/commits.ts";
import { type Commit, type CommitBody, field } from "./commit.ts";
import { isOid } from "./oid.ts";

/** A longer name of a call is not looked for: the daemon's are a number, a Jami ID and a device id. */
const MAX_CALL_KEY = 200;

/** Types with rules of their own: keys like `edit` mean nothing in them. */
const NOT_PLAIN = new Set(["", "initial", "vote", "merge", "application/update-profile", "application/checkpoint"]);

/** What the commit changes; `null`: nothing but itself. Who may do that is not asked here. */
export function relationOf({ type, body }: Pick<Commit, "type" | "body">): Relation | null {
  if (NOT_PLAIN.has(type)) return null;
  if (type === "member") return goneBy(body);
  const edited = field(body, "edit");
  if (isOid(edited)) return { kind: "edit", target: edited };
  const reactedTo = field(body, "react-to");
  if (isOid(reactedTo)) return { kind: "reaction", target: reactedTo };
  const call = callKey(type, body);
  return call !== null && field(body, "duration") !== "" ? { kind: "call-end", target: call } : null;
}

/** Has a commit of this kind no entry of its own? An empty type is never shown (5.2). */
export function isHidden(type: string, relation: Relation | null): boolean {
  return type === "" || type === "merge" || type === "initial" || relation?.kind === "edit" ||
    relation?.kind === "reaction";
}

/** By what start and end of a group's call find each other (6: same `confId`, `uri`, `device`); `null`: it is none. */
export function callKey(type: string, body: CommitBody | null): string | null {
  if (type !== "application/call-history+json") return null;
  const id = field(body, "confId");
  const key = `${id}/${field(body, "uri")}/${field(body, "device")}`;
  return id === "" || key.length > MAX_CALL_KEY ? null : key;
}

function goneBy(body: CommitBody | null): Relation | null {
  const action = field(body, "action");
  const uri = field(body, "uri");
  return (action === "remove" || action === "ban") && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(uri)
    ? { kind: "gone", target: uri }
    : null;
}
