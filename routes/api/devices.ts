/** /devices: the devices of the node's own account: which there are, linking one, revoking one, and the account's archive. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { doerOf } from "../caller.ts";
import { router } from "../router.ts";
import {
  action,
  deviceId,
  everywhere,
  json,
  mayConflict,
  moderator,
  notFound,
  owner,
  time,
  withBody,
  withoutBody,
} from "./schemas.ts";

/** Longest password of an archive: it is stretched anyway. */
const MAX_PASSWORD = 1_024;

const device = z.object({
  deviceId,
  name: z.string().openapi({ description: "what it calls itself; never empty" }),
  lastSeen: time.nullable(),
  online: z.boolean(),
  thisOne: z.boolean().openapi({ description: "is it this node?" }),
  revoked: z.boolean(),
}).openapi("OwnDevice");

const devices = z.object({
  devices: z.array(device),
  hasPassword: z.boolean().openapi({ description: "the account's archive has one: it is needed to revoke and export" }),
}).openapi("OwnDevices");

const link = z.object({
  stage: z.enum(["idle", "connecting", "confirm", "password", "sending", "done", "failed"]),
  address: z.string().openapi({ description: "from where the new device is connected; empty = it is not" }),
  tries: z.int().openapi({ description: "passwords that may still be tried on the new device" }),
  failure: z.enum(["unreachable", "timeout", "canceled", "password", "protocol", "internal"]).nullable(),
}).openapi("DeviceLink");

const password = z.string().max(MAX_PASSWORD).openapi({
  description: "of the account's archive; empty = it has none",
});

const listDevices = createRoute({
  method: "get",
  path: "/devices",
  summary: "The devices of the node's own account, this one first",
  ...moderator,
  responses: { 200: json(devices, "The devices"), ...everywhere },
});

const getLink = createRoute({
  method: "get",
  path: "/devices/link",
  summary: "How far the linking of a new device is; the event `link` brings the same",
  ...owner,
  responses: { 200: json(link, "The state"), ...everywhere },
});

const startLink = createRoute({
  method: "post",
  path: "/devices/link",
  summary: "Link a new device by the address that it shows",
  description: "It is then connected; nothing is given to it before it is confirmed. Five minutes are the limit.",
  ...owner,
  ...action(""), // the node notes it
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            uri: z.string().max(200).openapi({ example: "jami-auth://<64 hex digits>/<6 digits>" }),
          }).openapi("NewDevice"),
        },
      },
    },
  },
  responses: { 200: json(link, "The state"), ...everywhere, ...mayConflict, ...withBody },
});

const confirmLink = createRoute({
  method: "post",
  path: "/devices/link/confirm",
  summary: "Confirm that the device connected from this address is the right one",
  ...owner,
  ...action(""),
  responses: { 200: json(link, "The state"), ...everywhere, ...mayConflict, ...withoutBody },
});

const cancelLink = createRoute({
  method: "post",
  path: "/devices/link/cancel",
  summary: "Link no device after all",
  ...owner,
  ...action(""),
  responses: { 200: json(link, "The state"), ...everywhere, ...mayConflict, ...withoutBody },
});

const revokeDevice = createRoute({
  method: "delete",
  path: "/devices/{deviceId}",
  summary: "Revoke a device for good: nobody connects with it any more",
  ...owner,
  ...action(""),
  request: {
    params: z.object({ deviceId }),
    body: {
      required: true,
      content: { "application/json": { schema: z.strictObject({ password }).openapi("Revocation") } },
    },
  },
  responses: { 200: json(devices, "The devices"), ...everywhere, ...notFound, ...mayConflict, ...withBody },
});

const exportArchive = createRoute({
  method: "post",
  path: "/devices/archive",
  summary: "The account's archive, for other Jami apps: whoever has it is the account",
  ...owner,
  ...action(""),
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            password,
            newPassword: z.string().max(MAX_PASSWORD).default("")
              .openapi({ description: "protects the exported archive; empty = nothing does" }),
          }).openapi("ArchiveExport"),
        },
      },
    },
  },
  responses: {
    200: { description: "The archive", content: { "application/gzip": { schema: z.string() } } },
    ...everywhere,
    ...mayConflict,
    ...withBody,
  },
});

/** The routes of own devices. */
export function deviceRoutes({ devices }: NodeApi) {
  return router()
    .openapi(listDevices, async (c) => c.json(await devices.list(), 200))
    .openapi(getLink, (c) => c.json(devices.link(), 200))
    .openapi(startLink, (c) => c.json(devices.startLink(c.req.valid("json").uri, doerOf(c)), 200))
    .openapi(confirmLink, (c) => c.json(devices.confirmLink(doerOf(c)), 200))
    .openapi(cancelLink, (c) => c.json(devices.cancelLink(doerOf(c)), 200))
    .openapi(revokeDevice, async (c) => {
      const { password } = c.req.valid("json");
      return c.json(await devices.revoke(c.req.valid("param").deviceId, password, doerOf(c)), 200);
    })
    .openapi(exportArchive, async (c) => {
      const { password, newPassword } = c.req.valid("json");
      const file = await devices.export(password, newPassword, doerOf(c));
      return new Response(file, {
        headers: {
          "content-type": "application/gzip",
          "content-disposition": 'attachment; filename="account.gz"',
          "cache-control": "no-store",
        },
      });
    });
}
