/** What the initial commit fixes for ever: the mode, the creator and, in mode 0, the two people (swarm-repository.md 3). */

import { ProtocolError } from "../base/errors.ts";
import { type AccountId, isAccountId } from "../identity/ids.ts";
import { type Commit, type CommitBody, field, parseCommit } from "./commit.ts";
import { membersAt } from "./members.ts";
import { MissingObject, type ObjectReader, type Oid } from "./object.ts";

/** The modes of a conversation (3). */
export const Mode = { oneToOne: 0, adminInvitesOnly: 1, invitesOnly: 2, public: 3, document: 4 } as const;

/** A number of {@link Mode}. */
export type Mode = typeof Mode[keyof typeof Mode];

/** What a conversation is, by its initial commit. */
export interface ConversationFacts {
  readonly id: Oid;
  /** `null`: a mode nobody knows, so a conversation nobody can load. */
  readonly mode: Mode | null;
  /** Mode 0: creator and invited, who stay members for fetching and being invited again (4.2). Else empty. */
  readonly initialMembers: readonly AccountId[];
}

/** The mode that the body of an initial commit gives, or `null`. */
export function modeOf(body: CommitBody | null): Mode | null {
  const mode = body?.mode;
  return Object.values(Mode).find((known) => known === mode) ?? null;
}

/**
 * Reads what the initial commit says. It is not validated here: the history check does that.
 * @param conversation id of the conversation, which is that of its initial commit
 * @throws {MissingObject} @throws {ProtocolError} when it cannot be read
 */
export async function conversationFacts(reader: ObjectReader, conversation: Oid): Promise<ConversationFacts> {
  const initial = await readCommit(reader, conversation);
  const mode = modeOf(initial.body);
  if (mode !== Mode.oneToOne) return { id: conversation, mode, initialMembers: [] };
  const { roles } = await membersAt(reader, initial.tree);
  const admins = [...roles].filter(([, role]) => role === "admin").map(([account]) => account);
  const people = new Set([...admins, field(initial.body, "invited")].filter(isAccountId));
  return { id: conversation, mode, initialMembers: [...people] };
}

/**
 * Reads one commit.
 * @throws {MissingObject} @throws {ProtocolError} when it is something else
 */
export async function readCommit(reader: ObjectReader, id: Oid): Promise<Commit> {
  const object = await reader.read(id);
  if (object.type !== "commit") throw new ProtocolError("commit", "not a commit");
  return parseCommit(id, object.data);
}

/** Is the error about what a peer sent (unreadable or missing objects), not about our disk or program? */
export function isPeersFault(error: unknown): error is ProtocolError | MissingObject {
  return error instanceof ProtocolError || error instanceof MissingObject;
}
