/** Invitations (swarm-repository.md 4, 5.2 `add`). */

import { isAccountId } from "../../identity/ids.ts";
import { field } from "../commit.ts";
import { Mode } from "../conversation_facts.ts";
import { EMPTY_BLOB, type RuleContext } from "./context.ts";
import { Reason } from "./violation.ts";

/** An empty `invited/<uri>` for somebody else who is not banned; in mode 0 only for one of the two. */
export async function checkAdd(context: RuleContext): Promise<void> {
  const { changes, commit, conversation } = context;
  const bad = (detail: string): never => context.refuse(Reason.add, detail);
  const uri = field(commit.body, "uri");
  if (!isAccountId(uri)) bad("not an account");
  if (conversation.mode === Mode.oneToOne && !conversation.initialMembers.includes(uri)) bad("a third person");
  if (changes.length < 1 || changes.length > 3) bad("too many or too few files");
  const owner = await context.knownOwner(Reason.add);
  if (owner === uri) bad("the author invites itself");
  for (const change of changes) {
    if (context.isOwnDevice(change.path)) {
      if (!await context.isDeviceOf(owner, change)) bad("not the device's certificate");
    } else if (change.path !== `invited/${uri}` && change.path !== `CRLs/${owner}`) bad(`not allowed: ${change.path}`);
  }
  if ((await context.file(`invited/${uri}`))?.oid !== EMPTY_BLOB) bad("no empty invitation");
  if (await context.parentFile(`banned/members/${uri}.crt`) !== null) bad("the invited is banned");
}
