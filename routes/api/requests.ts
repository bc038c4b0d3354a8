/** /requests: contact requests and group invitations that wait for a decision. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import {
  called,
  everywhere,
  id,
  json,
  listQuery,
  mayConflict,
  moderator,
  next,
  notFound,
  time,
  withoutBody,
} from "./schemas.ts";

const request = z.object({
  id: id.openapi({ description: "answer with this: the Jami ID of a contact request, the id of a group" }),
  kind: z.enum(["contact", "conversation"]),
  jamiId: id.openapi({ description: "who asks or invites" }),
  ...called,
  conversationId: z.string(),
  title: z.string(),
  received: time,
}).openapi("Request");

const answers = { accept: "accepted", decline: "declined", block: "blocked" } as const;
type Answer = keyof typeof answers;

const listRequests = createRoute({
  method: "get",
  path: "/requests",
  summary: "What waits for a decision",
  ...moderator,
  request: { query: listQuery },
  responses: { 200: json(z.object({ requests: z.array(request), next }), "The requests, by id"), ...everywhere },
});

function answerRoute(answer: Answer, summary: string) {
  return createRoute({
    method: "post",
    path: `/requests/{id}/${answer}`,
    summary,
    ...moderator,
    request: { params: z.object({ id }) },
    responses: {
      200: json(z.object({ id, result: z.enum(Object.values(answers)) }), "Done"),
      ...everywhere,
      ...notFound,
      ...mayConflict,
      ...withoutBody,
    },
  });
}

/** The routes of requests. */
export function requestRoutes(api: NodeApi) {
  const routes = router();
  routes.openapi(listRequests, (c) => {
    const { items, next } = api.requests(c.req.valid("query"));
    return c.json({ requests: items, next }, 200);
  });
  routes.openapi(answerRoute("accept", "Become a contact, or join the group"), async (c) => {
    const { id } = c.req.valid("param");
    await api.acceptRequest(id);
    return c.json({ id, result: answers.accept }, 200);
  });
  routes.openapi(answerRoute("decline", "Say no; nobody is told"), async (c) => {
    const { id } = c.req.valid("param");
    await api.declineRequest(id);
    return c.json({ id, result: answers.decline }, 200);
  });
  routes.openapi(
    answerRoute(
      "block",
      "Say no and ban who asked (an inviter who is known otherwise is not banned: only the invitation is refused for good)",
    ),
    async (c) => {
      const { id } = c.req.valid("param");
      await api.blockRequest(id);
      return c.json({ id, result: answers.block }, 200);
    },
  );
  return routes;
}
