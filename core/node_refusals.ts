/** What the rooms refuse, in the words of the API. */

import { UnknownContact } from "./account/contacts.ts";
import { KituoError } from "./base/errors.ts";
import { ListError } from "./moderation/ban_list_format.ts";
import { NoList } from "./moderation/ban_lists.ts";
import { NoBan, OwnTarget } from "./moderation/bans.ts";
import { NoReport } from "./moderation/reports.ts";
import { UnfitSettings } from "./moderation/settings.ts";
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

/** What was named is not there. */
const MISSING = [UnknownInvitation, NothingRefused, NoBan, NoList, NoReport];

/** Runs `work`; what the rooms refuse becomes an answer of the API. */
export async function refusing<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw refusalOf(error);
  }
}

/** As {@link refusing}, for what is done at once. */
export function refusingNow<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof NodeError || !(error instanceof KituoError)) return error;
  const as = (fault: NodeFault) => new NodeError(fault, error.message, { cause: error });
  if (MISSING.some((kind) => error instanceof kind)) return as("not found");
  if (error instanceof UnfitSettings) return as(error.fault === "unknown" ? "not found" : "unfit");
  if (error instanceof ListError) return as("unfit");
  if (error instanceof UnknownContact || error instanceof OwnTarget) return as("bad request");
  if (error instanceof LinkRefused) return as(LINK_FAULTS[error.fault]);
  if (error instanceof WriteConflict) return as("conflict");
  if (error instanceof WriteRefused || error instanceof NotMember) return as("forbidden");
  return as("conflict");
}
