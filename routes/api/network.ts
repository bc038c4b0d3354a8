/** /network: the DHT, the ports, every connection, and a test of whether others can reach the node. */

import { createRoute, z } from "@hono/zod-openapi";
import { MAX_CONNECTIONS_LIMIT, type NodeApi } from "../../core/node_api.ts";
import { doerOf } from "../caller.ts";
import { router } from "../router.ts";
import {
  action,
  called,
  count,
  counted,
  deviceId,
  everywhere,
  id,
  json,
  moderator,
  notFound,
  time,
  viewer,
  withoutBody,
} from "./schemas.ts";

const requestKind = z.enum(["ping", "find", "get", "put", "refresh", "listen", "update"]);

const network = z.object({
  dht: z.object({
    status: z.enum(["connected", "connecting", "disconnected"]),
    nodes: z.array(z.object({ family: z.union([z.literal(4), z.literal(6)]), good: z.int(), dubious: z.int() }))
      .openapi({
        description: "known nodes; good ones answered lately, dubious ones may be gone",
      }),
    seenAs: z.array(z.object({ address: z.string(), votes: z.int(), own: z.boolean() })).openapi({
      description: "the node's addresses as others see them; own = it is one of this machine, no router translates",
    }),
    stored: z.object({ values: z.int(), bytes: z.int(), maxBytes: z.int(), maxValuesPerKey: z.int() }).openapi({
      description: "values of others that are kept here",
    }),
    listeners: z.int().openapi({ description: "others that listen here for values" }),
    requests: z.array(z.object({
      kind: requestKind,
      in: z.number(),
      out: z.number(),
      totalIn: z.int(),
      totalOut: z.int(),
    })).openapi({ description: "a second, over the last minute; and since the start" }),
    limited: z.int().openapi({ description: "requests refused because they were too many" }),
    bootstrap: z.array(z.object({
      host: z.string(),
      addresses: z.array(z.string()),
      asked: time.nullable(),
      answered: time.nullable(),
      problem: z.string(),
    })),
  }),
  ports: z.array(z.object({
    protocol: z.enum(["udp", "tcp"]),
    use: z.enum(["dht", "peers"]),
    port: z.int(),
    fixed: z.boolean().openapi({ description: "the settings name it: it is the same after a restart" }),
  })),
  candidates: z.array(z.object({ address: z.string(), port: z.int(), kind: z.enum(["own", "seen"]) })).openapi({
    description: "where peers are told to dial",
  }),
  connections: z.object({ count: z.int(), bytesIn: z.int(), bytesOut: z.int() }).openapi({
    description: "that are up; bytes of all since the start",
  }),
}).openapi("Network");

const connection = z.object({
  id: z.string(),
  jamiId: id,
  ...called,
  deviceId,
  local: z.string().openapi({ description: "address:port of this end" }),
  remote: z.string().openapi({ description: "address:port of theirs" }),
  askedBy: z.enum(["peer", "node"]),
  direction: z.enum(["in", "out"]).openapi({ description: "who dialled: in = the peer dialled our port" }),
  tls: z.string(),
  since: time,
  lastHeard: time,
  bytesIn: z.int(),
  bytesOut: z.int(),
  channels: z.array(z.object({
    kind: z.enum([
      "messages",
      "git",
      "overlay",
      "sync",
      "file",
      "profile",
      "service",
      "document",
      "link-device",
      "other",
    ]),
    state: z.enum(["opening", "open", "closing"]),
    count: z.int(),
  })),
}).openapi("Connection");

const reachability = z.object({
  state: z.enum(["running", "done"]),
  started: time,
  finished: time.nullable(),
  checks: z.array(z.object({
    id: z.enum(["udp-out", "udp-in", "address", "tcp-in", "tcp-port"]),
    verdict: z.enum(["good", "bad", "unknown", "note"]),
    finding: z.enum([
      "nodes-answer",
      "no-node-answers",
      "no-node-known",
      "came-unasked",
      "none-unasked-yet",
      "none-unasked",
      "own-address",
      "translated",
      "address-unknown",
      "address-differs",
      "came-from-far",
      "came-through-router",
      "came-from-near",
      "did-not-come",
      "nobody-to-ask",
      "nobody-answered",
      "port-fixed",
      "port-changes",
    ]),
    advice: z.enum([
      "nothing",
      "allow-udp-out",
      "set-bootstrap",
      "wait",
      "forward-udp",
      "allow-udp-in",
      "correct-public-address",
      "forward-tcp",
      "forward-tcp-if-not",
      "allow-tcp-in",
      "allow-tcp-in-if-not",
      "set-peer-port",
    ]),
    values: z.record(z.string(), z.union([z.string(), z.number()])),
  })),
}).openapi("Reachability");

const connectionId = z.string().regex(/^[0-9a-f]{1,40}$/, "must be the id of a connection").openapi({ example: "7" });

const getNetwork = createRoute({
  method: "get",
  path: "/network",
  summary: "The node in the network: DHT, ports, sums",
  ...viewer,
  responses: { 200: json(network, "The numbers"), ...everywhere },
});

const listConnections = createRoute({
  method: "get",
  path: "/network/connections",
  summary: "The connections that are up, the oldest first",
  ...moderator,
  request: {
    query: z.strictObject({
      limit: count(MAX_CONNECTIONS_LIMIT, MAX_CONNECTIONS_LIMIT),
      after: z.string().regex(/^[0-9]{1,15}$/, "must be the id of a connection").optional(),
    }),
  },
  responses: {
    200: json(z.object({ connections: z.array(connection), next: z.string().nullable() }), "The connections"),
    ...everywhere,
  },
});

const closeConnection = createRoute({
  method: "delete",
  path: "/network/connections/{connectionId}",
  summary: "End a connection; the device may connect again",
  ...moderator,
  ...action(""), // the node notes whose it was
  request: { params: z.object({ connectionId }) },
  responses: { 204: { description: "It has ended" }, ...everywhere, ...notFound, ...withoutBody },
});

const getReachability = createRoute({
  method: "get",
  path: "/network/reachability",
  summary: "What the latest test of the network has shown",
  ...moderator,
  responses: {
    200: json(z.object({ test: reachability.nullable() }), "The test; null = there was none since the start"),
    ...everywhere,
  },
});

const testReachability = createRoute({
  method: "post",
  path: "/network/reachability",
  summary: "Begin to test whether others can reach the node: nodes of the DHT and some connected devices are asked",
  ...moderator,
  ...action("network.test"),
  responses: {
    200: json(z.object({ test: reachability }), "It runs, for a minute at most: read the result by GET"),
    ...everywhere,
    ...withoutBody,
    ...counted,
  },
});

/** The routes of the network. */
export function networkRoutes({ network: api }: NodeApi) {
  return router()
    .openapi(getNetwork, (c) => c.json(api.state(), 200))
    .openapi(listConnections, (c) => {
      const { items, next } = api.connections(c.req.valid("query"));
      return c.json({ connections: items, next }, 200);
    })
    .openapi(closeConnection, async (c) => {
      await api.close(c.req.valid("param").connectionId, doerOf(c));
      return c.body(null, 204);
    })
    .openapi(getReachability, (c) => c.json({ test: api.reachability() }, 200))
    .openapi(testReachability, (c) => c.json({ test: api.testReachability() }, 200));
}
