/** Why the console's accounts refuse something. */

import { KituoError } from "../base/errors.ts";

/** The kinds of refusal. */
export type AccessFault =
  /** who asks could not show who they are */
  | "unauthorised"
  /** it is known who asks, and they may not */
  | "forbidden"
  /** no such admin, token, passkey, invitation */
  | "not found"
  /** it contradicts the present state, for example the last owner leaving */
  | "conflict"
  /** what was given cannot be taken: a weak password, a bad name */
  | "unfit"
  /** too many tries */
  | "too many";

/** A refusal. The message is shown to the one who asked. */
export class AccessError extends KituoError {
  constructor(readonly fault: AccessFault, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
