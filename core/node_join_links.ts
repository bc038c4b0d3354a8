/** Join links of groups, with their traces in the audit trail. */

import type { Clock } from "./base/clock.ts";
import {
  type Doer,
  type JoinLinkInfo,
  type JoinLinksApi,
  type JoinLinkTerms,
  type JoinOffer,
  type NewJoinLink,
  NodeError,
} from "./node_api.ts";
import { knownConversation } from "./node_groups.ts";
import { refusing } from "./node_refusals.ts";
import type { JoinLinks } from "./relay/join_links.ts";
import type { JoinLink } from "./store/join_links.ts";
import type { Store } from "./store/store.ts";
import type { Conversation } from "./swarm/conversation.ts";

export interface NodeJoinLinksOptions {
  links: Pick<JoinLinks, "create" | "target" | "join">;
  store: Store;
  clock: Clock;
  /** @throws {NodeError} when the conversation is not open */
  open(id: string): Conversation;
  /** The node that invites. */
  host(): { jamiId: string; name: string };
  /** Its device was revoked: nobody would come of an invitation. */
  isRevoked(): boolean;
}

export class NodeJoinLinks implements JoinLinksApi {
  constructor(private readonly options: NodeJoinLinksOptions) {}

  get(id: string): JoinLinkInfo {
    const { store } = this.options;
    const link = store.joinLinks.get(knownConversation(store, id).id);
    if (!link) throw new NodeError("not found", "there is no join link");
    return joinLinkInfo(link);
  }

  async create(id: string, terms: JoinLinkTerms, doer: Doer): Promise<NewJoinLink> {
    const { links, store, clock, open } = this.options;
    return await refusing(() => {
      const { expiresIn, maxUses } = terms;
      const expires = clock.now() + expiresIn * 1000;
      const secret = links.create(open(id), { expires, maxUses });
      const link = this.get(id);
      const detail = `${maxUses} times until ${new Date(expires).toISOString()}`;
      store.audit.append({ ...doer, action: "link.create", target: id, detail });
      return { ...link, secret };
    });
  }

  async revoke(id: string, doer: Doer): Promise<void> {
    const { store } = this.options;
    await refusing(() => {
      if (!store.joinLinks.delete(knownConversation(store, id).id)) {
        throw new NodeError("not found", "there is no join link");
      }
      store.audit.append({ ...doer, action: "link.revoke", target: id, detail: "" });
    });
  }

  async offer(secret: string): Promise<JoinOffer> {
    const { links, host, isRevoked } = this.options;
    return await refusing(async () => {
      if (isRevoked()) throw new NodeError("conflict", "this node takes part in nothing any more");
      const { title, description } = await links.target(secret).profile();
      return { title, description, ...host() };
    });
  }

  async join(secret: string, jamiId: string, address: string): Promise<"invited" | "member"> {
    return await refusing(() => this.options.links.join(secret, jamiId, address));
  }
}

function joinLinkInfo({ created, expires, maxUses, uses }: JoinLink): JoinLinkInfo {
  return { created: inSeconds(created), expires: inSeconds(expires), maxUses, uses };
}

function inSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
