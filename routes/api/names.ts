/** /names, /addresses, /node/name: registered names. /name-server: those that the node's own name server gave out. */

import { createRoute, z } from "@hono/zod-openapi";
import { MAX_LIST_LIMIT, type NodeApi } from "../../core/node_api.ts";
import { doerOf } from "../caller.ts";
import { MAX_PASSWORD } from "../constants.ts";
import { router } from "../router.ts";
import {
  action,
  count,
  everywhere,
  givenName,
  id,
  json,
  mayConflict,
  mayNotBeKnown,
  moderator,
  notFound,
  owner,
  registeredName,
  text,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

const named = z.object({ jamiId: id, registeredName }).openapi("NamedAccount");

const lookUpName = createRoute({
  method: "get",
  path: "/names/{name}",
  summary: "Whose name it is on the name server",
  ...moderator,
  request: { params: z.object({ name: givenName }) },
  responses: { 200: json(named, "Its account"), ...everywhere, ...notFound, ...mayConflict, ...mayNotBeKnown },
});

const lookUpAddress = createRoute({
  method: "get",
  path: "/addresses/{jamiId}",
  summary: "What an account is called on the name server",
  ...moderator,
  request: { params: z.object({ jamiId: id }) },
  responses: { 200: json(named, "Its name"), ...everywhere, ...notFound, ...mayConflict, ...mayNotBeKnown },
});

const newName = z.strictObject({
  name: z.string().regex(/^[a-zA-Z0-9_-]{3,32}$/, "must be 3 to 32 letters, digits, - or _"),
  password: text(MAX_PASSWORD).optional().openapi({ description: "of the account's archive, if it has one" }),
}).openapi("NewName");

const registerName = createRoute({
  method: "post",
  path: "/node/name",
  summary: "Register a name for the node's account, for ever",
  ...owner,
  ...action(""), // the node notes it
  request: { body: { required: true, content: { "application/json": { schema: newName } } } },
  responses: { 201: json(named, "Registered"), ...everywhere, ...mayConflict, ...mayNotBeKnown, ...withBody },
});

const givenNames = z.object({
  names: z.array(named.extend({ registered: time }).openapi("GivenName")),
  next: z.string().nullable().openapi({ description: "`after` of the next page; null at the end" }),
});

const listGivenNames = createRoute({
  method: "get",
  path: "/name-server/names",
  summary: "The names that this node's own name server gave out",
  ...owner,
  request: {
    query: z.strictObject({
      limit: count(MAX_LIST_LIMIT, MAX_LIST_LIMIT),
      after: z.string().max(64).optional().openapi({ description: "only names after this: `next` of the page before" }),
    }),
  },
  responses: { 200: json(givenNames, "The names, in order"), ...everywhere },
});

const takeName = createRoute({
  method: "delete",
  path: "/name-server/names/{name}",
  summary: "Take a name back: anybody may register it then",
  ...owner,
  ...action(""),
  request: { params: z.object({ name: givenName }) },
  responses: { 204: { description: "Taken back" }, ...everywhere, ...notFound, ...withoutBody },
});

/** The routes of names. */
export function nameRoutes(api: NodeApi) {
  return router()
    .openapi(lookUpName, async (c) => c.json(await api.lookUpName(c.req.valid("param").name), 200))
    .openapi(lookUpAddress, async (c) => c.json(await api.lookUpAddress(c.req.valid("param").jamiId), 200))
    .openapi(registerName, async (c) => {
      const { name, password } = c.req.valid("json");
      return c.json(await api.registerName(name, password ?? "", doerOf(c)), 201);
    })
    .openapi(listGivenNames, (c) => {
      const { items, next } = api.givenNames(c.req.valid("query"));
      return c.json({ names: items, next }, 200);
    })
    .openapi(takeName, (c) => {
      api.takeName(c.req.valid("param").name, doerOf(c));
      return c.body(null, 204);
    });
}
