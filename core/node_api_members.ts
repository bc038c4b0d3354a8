/** What the console asks about who takes part in a conversation: part by part, for a group may have thousands. */

import type { ListPage, MemberInfo } from "./node_api.ts";

/** Members that {@link ConversationDetail.members} has at most; all are told by {@link MembersApi.list}. */
export const MAX_DETAIL_MEMBERS = 1_000;

/** Which part of the members. */
export interface MembersQuery {
  limit: number;
  /** `next` of the part before */
  after?: string;
  /** only those of whom each word is in the name or the registered name, or begins the Jami ID */
  q?: string;
}

/** A part of them: admins first, then members, invited, banned and left ones, each by Jami ID. */
export interface MembersPage extends ListPage<MemberInfo> {
  /** how many fit what is searched for */
  total: number;
}

/** The facet of the node. */
export interface MembersApi {
  /** Of a conversation that was left: as they were then, and of their devices only who they are. @throws {NodeError} "not found" */
  list(conversationId: string, query: MembersQuery): Promise<MembersPage>;
}
