/** Changes of who is in the conversation (swarm-repository.md 4, 5.2 "any `member`"): by action, each in a file of its own. */

import { field } from "../commit.ts";
import type { Oid } from "../object.ts";
import type { RuleContext } from "./context.ts";
import { checkAdd } from "./member_add.ts";
import { checkBan } from "./member_ban.ts";
import { checkJoin } from "./member_join.ts";
import { checkRemove } from "./member_remove.ts";
import { Reason } from "./violation.ts";

/** Names an account or a device, then does what its action may. */
export function checkMember(context: RuleContext, parent: Oid): Promise<void> {
  const { body } = context.commit;
  if (!/^(?!0{40})[0-9a-fA-F]{40}/.test(field(body, "uri"))) context.refuse(Reason.memberUri, "not 40 hex digits");
  const action = field(body, "action");
  switch (action) {
    case "add":
      return checkAdd(context);
    case "join":
      return checkJoin(context);
    case "remove":
      return checkRemove(context, parent);
    case "ban":
    case "unban":
      return checkBan(context, parent, action);
    default:
      return context.refuse(Reason.action, `unknown action "${action}"`);
  }
}
