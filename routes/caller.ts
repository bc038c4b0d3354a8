/** Who asks: every request that was let through behind the sign-in has one. */

import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Actor } from "../core/admins/admins.ts";

/** The one who asks. */
export interface Caller extends Actor {
  /** "token": a script with a token; "session": a person at the console */
  kind: "token" | "session";
  /** tells sessions apart; never shown */
  id: string;
  /** network address; "" = unknown */
  address: string;
}

declare module "hono" {
  interface ContextVariableMap {
    /** null = nobody who is known: only routes that anybody may ask see this */
    caller: Caller | null;
    /** network address; "" = unknown */
    address: string;
    /** what came to be by the request, for the audit trail: its body and path do not know it */
    made: { target: string; detail: string } | undefined;
  }
}

/** Who asks, for what the node itself notes in the audit trail. */
export function doerOf(c: Context): { actor: string; address: string } {
  return { actor: c.get("caller")?.name ?? "", address: c.get("address") };
}

/** Notes what came to be: an id or a name for the audit trail, never content. */
export function made(c: Context, target: string, detail = ""): void {
  c.set("made", { target, detail });
}

/** The one who asks, where nobody unknown gets to. @throws {HTTPException} 401 when it is nobody who is known */
export function callerOf(c: Context): Caller {
  const caller = c.get("caller");
  if (!caller) throw new HTTPException(401, { message: "Sign in first." });
  return caller;
}
