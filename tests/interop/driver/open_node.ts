/** A node that accepts every request, and how daemons get together with it. */

import type { JamiDaemon } from "./daemon.ts";
import type { KituoProcess } from "./kituo.ts";
import type { Network } from "./network.ts";
import { readyKituo } from "./scenario.ts";

/** A node with `--accept-requests anyone`, ready. */
export async function openNode(network: Network, name = "kituo", ...args: string[]): Promise<KituoProcess> {
  return await readyKituo(network, name, "--accept-requests", "anyone", ...args);
}

/** The daemon adds the node as a contact; their one-to-one conversation, once both are in it. */
export async function addNode(daemon: JamiDaemon, kituo: KituoProcess): Promise<string> {
  await daemon.addContact(kituo.jamiId);
  const conversation = await daemon.conversationWith(kituo.jamiId);
  await daemon.waitMember(conversation, kituo.jamiId);
  return conversation;
}

/** The daemon invites the node into its group; returns when it has joined. */
export async function inviteNode(daemon: JamiDaemon, kituo: KituoProcess, conversation: string): Promise<void> {
  await daemon.invite(conversation, kituo.jamiId);
  await daemon.waitMember(conversation, kituo.jamiId);
}
