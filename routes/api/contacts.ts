/** /contacts: the node's contacts. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { router } from "../router.ts";
import {
  action,
  called,
  everywhere,
  id,
  jamiIdOf,
  json,
  listQuery,
  mayConflict,
  mayNotBeKnown,
  moderator,
  next,
  notFound,
  someone,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

const contact = z.object({
  jamiId: id,
  ...called,
  added: time,
  confirmed: z.boolean().openapi({ description: "the other side has agreed" }),
  banned: z.boolean(),
  online: z.boolean(),
  conversationId: id.nullable(),
}).openapi("Contact");

const newContact = someone.openapi("NewContact");

const listContacts = createRoute({
  method: "get",
  path: "/contacts",
  summary: "The contacts, banned ones included",
  ...moderator,
  request: { query: listQuery },
  responses: { 200: json(z.object({ contacts: z.array(contact), next }), "The contacts, by Jami ID"), ...everywhere },
});

const addContact = createRoute({
  method: "post",
  path: "/contacts",
  summary: "Add a contact and send it a request",
  ...moderator,
  ...action("contact.add"),
  request: { body: { required: true, content: { "application/json": { schema: newContact } } } },
  responses: {
    201: json(contact, "The contact"),
    ...everywhere,
    ...notFound,
    ...mayConflict,
    ...mayNotBeKnown,
    ...withBody,
  },
});

const removeContact = createRoute({
  method: "delete",
  path: "/contacts/{jamiId}",
  summary: "Remove a contact",
  ...moderator,
  request: { params: z.object({ jamiId: id }) },
  responses: { 204: { description: "Removed" }, ...everywhere, ...notFound, ...mayConflict, ...withoutBody },
});

/** The routes of contacts. */
export function contactRoutes(api: NodeApi) {
  return router()
    .openapi(listContacts, (c) => {
      const { items, next } = api.contacts(c.req.valid("query"));
      return c.json({ contacts: items, next }, 200);
    })
    .openapi(addContact, async (c) => {
      const jamiId = await jamiIdOf(c.req.valid("json"), api);
      return c.json(await api.addContact(jamiId), 201);
    })
    .openapi(removeContact, async (c) => {
      await api.removeContact(c.req.valid("param").jamiId);
      return c.body(null, 204);
    });
}
