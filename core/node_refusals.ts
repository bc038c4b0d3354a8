/** What the rooms refuse, in the words of the API. */

import { UnknownContact } from "./account/contacts.ts";
import { KituoError } from "./base/errors.ts";
import { NodeError, type NodeFault } from "./node_api.ts";
import { UnknownInvitation } from "./relay/invitations.ts";
import { type LinkFault, LinkRefused } from "./relay/join_links.ts";
import { NothingRefused } from "./relay/refused.ts";
import { NotMember } from "./swarm/conversation.ts";
import { WriteConflict, WriteRefused } from "./swarm/write.ts";

/** What the API answers when a join link is not obeyed. */
const LINK_FAULTS: Record<LinkFault, NodeFault> = {
  "no link": "not found",
  "busy": "too many",
  "banned": "forbidden",
  "own account": "bad request",
};

/** Runs `work`; what the rooms refuse becomes an answer of the API. */
export async function refusing<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NodeError || !(error instanceof KituoError)) throw error;
    if (error instanceof UnknownInvitation || error instanceof NothingRefused) {
      throw new NodeError("not found", error.message, { cause: error });
    }
    if (error instanceof UnknownContact) throw new NodeError("bad request", error.message, { cause: error });
    if (error instanceof LinkRefused) throw new NodeError(LINK_FAULTS[error.fault], error.message, { cause: error });
    if (error instanceof WriteConflict) throw new NodeError("conflict", error.message, { cause: error });
    if (error instanceof WriteRefused || error instanceof NotMember) {
      throw new NodeError("forbidden", error.message, { cause: error });
    }
    throw new NodeError("conflict", error.message, { cause: error });
  }
}
