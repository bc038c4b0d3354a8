/** The conversation's title, description and picture (swarm-repository.md 5.2 `application/update-profile`, 9). */

import type { RuleContext } from "./context.ts";
import { Reason } from "./violation.ts";

/** Only `profile.vcf`, by an admin; with it perhaps the author's device (2023 peers refuse that). */
export async function checkProfile(context: RuleContext): Promise<void> {
  const bad = (detail: string): never => context.refuse(Reason.profile, detail);
  const owner = await context.knownOwner(Reason.profile);
  for (const change of context.changes) {
    if (context.isOwnDevice(change.path)) {
      if (!await context.isDeviceOf(owner, change)) bad("not the device's certificate");
    } else if (change.path !== "profile.vcf") bad(`not allowed: ${change.path}`);
  }
  if (await context.file(`admins/${owner}.crt`) === null) bad("the author is no admin");
}
