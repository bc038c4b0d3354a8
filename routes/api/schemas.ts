/** Parts that the descriptions of several resources share. */

import { z } from "@hono/zod-openapi";
import type { Role } from "../../core/store/admins.ts";
import { MAX_LIST_LIMIT, type NodeApi } from "../../core/node_api.ts";
import { problemResponse } from "../problem.ts";

/** 40 lower-case hex digits: a Jami ID, a conversation id, a commit id. */
export const id = z.string().regex(/^[0-9a-f]{40}$/, "must be 40 hex digits in lower case")
  .openapi({ example: "0123456789abcdef0123456789abcdef01234567" });

/** 64 lower-case hex digits: a device. */
export const deviceId = z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hex digits in lower case");

/** A Jami ID as people copy it from somewhere. */
export const givenJamiId = z.string()
  .regex(/^([jJ][aA][mM][iI]:)?[0-9a-fA-F]{40}$/, "must be a Jami ID: 40 hex digits")
  .transform((text) => text.slice(-40).toLowerCase())
  .refine((id) => !/^0+$/.test(id), "must be somebody's Jami ID");

/** A registered name, as people write it: servers of organisations give out others than Jami's own does. */
export const givenName = z.string()
  .regex(/^(?![0-9a-fA-F]{40}$)[^\p{C}\p{Z}\/\\?#@:]{1,64}$/u, "must be a registered name")
  .refine((name) => /[\p{L}\p{N}]/u.test(name), "must be a registered name")
  .openapi({ example: "kituo" });

/** A name as a name server tells it. */
export const registeredName = z.string().openapi({ description: "on the name server; empty = none, or not known yet" });

/** What an account is called. */
export const called = {
  name: z.string().openapi({ description: "in the profile that it sent, else its registered name; empty = unknown" }),
  registeredName,
};

/** Somebody, by Jami ID or by registered name. */
export const someone = z.strictObject({
  jamiId: givenJamiId.optional(),
  registeredName: givenName.optional().openapi({ description: "in place of the Jami ID: it is looked up" }),
}).refine(
  ({ jamiId, registeredName }) => (jamiId === undefined) !== (registeredName === undefined),
  "must have either jamiId or registeredName",
);

/** The Jami ID of {@link someone}. @throws {NodeError} when the name is nobody's, or cannot be looked up */
export async function jamiIdOf(
  { jamiId, registeredName = "" }: z.output<typeof someone>,
  api: NodeApi,
): Promise<string> {
  return jamiId ?? (await api.lookUpName(registeredName)).jamiId;
}

/**
 * A text of so many characters at most: what is not Unicode would be changed by being stored, and peers in C would cut a
 * text at its NUL.
 */
export function text(most: number) {
  return z.string().max(most)
    .refine((text) => text.isWellFormed() && !text.includes("\0"), "must be well-formed Unicode without U+0000");
}

/** An empty text may mean that there is none; one of blanks, or of what nobody sees, means nothing. */
export function isBlank(text: string): boolean {
  return text !== "" && !/[^\p{Z}\p{C}]/u.test(text);
}

/** Seconds since 1970. */
export const time = z.number().openapi({ description: "seconds since 1970", example: 1790000000 });

/** A whole number in a query. */
export function count(most: number, fallback: number) {
  return z.string().regex(/^[0-9]{1,6}$/, "must be a whole number").transform(Number)
    .pipe(z.int().min(1).max(most)).optional().transform((n) => n ?? fallback)
    .openapi({ type: "integer", minimum: 1, maximum: most, default: fallback });
}

/** The running number of a record, of the audit trail for example, in a path or query. */
export const running = z.string().regex(/^[0-9]{1,15}$/, "must be a whole number").transform(Number);

/** The query of a list that is ordered by id. */
export const listQuery = z.strictObject({
  limit: count(MAX_LIST_LIMIT, MAX_LIST_LIMIT),
  after: id.optional().openapi({ description: "only entries with a greater id: `next` of the page before" }),
});

/** What to ask with for the next page of a list. */
export const next = id.nullable().openapi({ description: "`after` of the next page; null at the end" });

/** Every route under /api/v1 may fail in these ways. */
export const everywhere = {
  400: problemResponse("The path or query is malformed."),
  401: problemResponse("Nobody is signed in, and no valid token was sent."),
  403: problemResponse("Refused: by the rules, for want of the role, or a page of another site asked."),
};

/** For routes about one thing. */
export const notFound = { 404: problemResponse("There is no such thing.") };

/** For routes that ask the name server. */
export const mayNotBeKnown = {
  502: problemResponse("The name server cannot be reached, or its answer does not hold."),
};

/** For routes that change something: also a revoked node refuses so what needs the others. */
export const mayConflict = { 409: problemResponse("It contradicts the present state.") };

/** For routes that change something without a body, and refuse one that cannot be meant. */
export const withoutBody = {
  ...mayConflict,
  413: problemResponse("The body is larger than 64 KiB, or than `x-kituo-room` of the route."),
  415: problemResponse("The body is not application/json."),
  507: problemResponse("The disk is full."),
};

/** For routes that change something and take a body. */
export const withBody = {
  ...withoutBody,
  422: problemResponse("The body does not have the form described."),
};

/** What a route demands of who asks: one word, spread into its definition. Without one, nobody may. */
function demands(role: Role) {
  const security: Record<string, string[]>[] = [{ session: [] }, { bearer: [] }];
  return { security, "x-kituo-role": role };
}

/** For routes that tell whether the node is well: every admin may. */
export const viewer = demands("viewer");

/** For routes about requests, members and conversations. */
export const moderator = demands("moderator");

/** For routes about settings, admins and keys. */
export const owner = demands("owner");

/** For routes by which somebody comes in: who asks is not known yet, so tries are counted. */
export const anybody = { security: [], "x-kituo-role": "anybody" };

/** What the audit trail calls a route where its path does not say it well; "" = it changes nothing. */
export function action(name: string) {
  return { "x-kituo-action": name };
}

/** How many bytes a route's body may have, where that is more than elsewhere. */
export function room(bytes: number) {
  return { "x-kituo-room": bytes };
}

/** For routes that count tries. */
export const counted = { 429: problemResponse("Too many tries: wait.") };

/** A JSON answer. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}
