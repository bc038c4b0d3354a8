/** Every error of the HTTP face has one form: problem details (RFC 9457). */

import { z } from "@hono/zod-openapi";
import { STATUS_TEXT } from "./status_text.ts";

/** The media type of {@link Problem}. */
export const PROBLEM_TYPE = "application/problem+json";

/** Problem details. `type` is "about:blank": the status says what kind of problem it is (RFC 9457, 4.2.1). */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
}).openapi("Problem");

/** One problem. */
export type Problem = z.infer<typeof problemSchema>;

/**
 * A response that tells of a problem.
 * @param detail a sentence for the one who asked; never anything internal
 */
export function problem(status: number, detail: string, headers: Record<string, string> = {}): Response {
  const body: Problem = { type: "about:blank", title: STATUS_TEXT[status] ?? "Error", status, detail };
  return new Response(JSON.stringify(body), { status, headers: { "content-type": PROBLEM_TYPE, ...headers } });
}

/** How a route's description lists a problem it may answer with. */
export function problemResponse(description: string) {
  return { description, content: { [PROBLEM_TYPE]: { schema: problemSchema } } };
}
