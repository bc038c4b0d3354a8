/** The first commit of a conversation (swarm-repository.md 3.1, 5.2 step 1, 5.6). */

import { isAccountId } from "../../identity/ids.ts";
import { accountSignedDevice, certificateIn } from "../certificate_files.ts";
import { field } from "../commit.ts";
import { Mode, modeOf } from "../conversation_facts.ts";
import type { RuleContext } from "./context.ts";
import { OwnReason, Reason } from "./violation.ts";

/** No parent: exactly the creator, one device, and in mode 0 the invited person. */
export async function checkInitial(context: RuleContext): Promise<void> {
  const { commit, conversation } = context;
  const bad = (detail: string): never => context.refuse(Reason.initial, detail);
  const owner = await context.knownOwner(Reason.initial);
  const mode = modeOf(commit.body);
  if (mode === null) bad("unknown mode");
  const invited = field(commit.body, "invited");
  const invitation = mode === Mode.oneToOne && isAccountId(invited) ? `invited/${invited}` : null;
  for (const change of context.changes) {
    if (change.path === `admins/${owner}.crt`) {
      if (!await context.isAccountOf(owner, change)) bad("not the creator's certificate");
    } else if (context.isOwnDevice(change.path)) {
      if (!await context.isDeviceOf(owner, change)) bad("not the device's certificate");
    } else if (change.path !== `CRLs/${owner}` && change.path !== invitation) bad(`not allowed: ${change.path}`);
  }
  const account = await context.file(`admins/${owner}.crt`);
  const device = await context.file(`devices/${commit.device}.crt`);
  if (account === null || device === null) return bad("a certificate is missing");
  if (commit.id !== conversation.id) context.refuse(OwnReason.notTheConversation, "a conversation has one root");
  if (!await accountSignedDevice(context.trees, account.oid, device.oid)) {
    context.refuse(OwnReason.forgedDevice, "the creator's device");
  }
  const key = (await certificateIn(context.trees, device.oid))?.publicKey;
  if (!key || commit.signature === null || !await key.verify(commit.payload, commit.signature)) {
    context.refuse(OwnReason.initialSignature, "the signature is not the device's");
  }
}
