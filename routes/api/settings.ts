/** /settings: all settings with where they came from; changing those of the settings file. */

import { createRoute, z } from "@hono/zod-openapi";
import type { NodeApi } from "../../core/node_api.ts";
import { doerOf } from "../caller.ts";
import { PROBLEM_TYPE, problemSchema } from "../problem.ts";
import { router } from "../router.ts";
import { action, everywhere, json, mayConflict, owner, withBody } from "./schemas.ts";

/** Entries and characters that one value may have: more than any setting takes. */
const MAX_ITEMS = 256;
const MAX_VALUE = 4_096;
/** Settings of one change: more than there are. */
const MAX_CHANGES = 100;

const value = z.union([
  z.string().max(MAX_VALUE),
  z.number(),
  z.boolean(),
  z.array(z.string().max(MAX_VALUE)).max(MAX_ITEMS),
  z.null(),
]);

const setting = z.object({
  key: z.string(),
  group: z.enum(["identity", "requests", "files", "network", "console", "backup", "folders"]),
  kind: z.enum(["text", "path", "number", "size", "boolean", "choice", "list", "address", "url"]),
  meaning: z.string(),
  flag: z.string(),
  variable: z.string(),
  placeholder: z.string(),
  choices: z.array(z.string()),
  fallback: value,
  value: value.openapi({ description: "what the node runs with; of a secret null" }),
  secret: z.boolean(),
  source: z.enum(["flag", "environment", "file", "default"]),
  fixedBy: z.string().openapi({
    description: "what overrides the file, so that it cannot be changed here; empty = nothing",
  }),
  outside: z.boolean().openapi({ description: "it can be set only where the node is started" }),
  effect: z.enum(["at once", "restart"]),
  pending: z.boolean().openapi({ description: "the next start has another value" }),
  next: value,
}).openapi("Setting");

const settings = z.object({
  settings: z.array(setting),
  restart: z.boolean().openapi({ description: "something waits for a restart" }),
  file: z.string().openapi({ description: "path of the settings file" }),
  problem: z.string().openapi({ description: "why the next start would fail; empty = it would not" }),
}).openapi("Settings");

/** RFC 9457, 3.2: one more member tells of each value. */
const unfit = problemSchema.extend({
  problems: z.array(z.object({ key: z.string(), message: z.string() })),
}).openapi("SettingsProblem");

const getSettings = createRoute({
  method: "get",
  path: "/settings",
  summary: "All settings, with their values and where these came from",
  ...owner,
  responses: { 200: json(settings, "The settings, in the order of their groups"), ...everywhere },
});

const changeSettings = createRoute({
  method: "patch",
  path: "/settings",
  summary: "Change settings, in the settings file and where that goes at once; all of them or, when one is wrong, none",
  ...owner,
  ...action(""), // the node notes each value
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({
            settings: z.record(z.string().max(64), value).refine(
              (values) => Object.keys(values).length <= MAX_CHANGES,
              `must be at most ${MAX_CHANGES}`,
            ).openapi({ description: "by key; null = as if nobody had set it" }),
          }).openapi("ChangeSettings"),
        },
      },
    },
  },
  responses: {
    200: json(settings, "Changed"),
    ...everywhere,
    ...mayConflict,
    ...withBody,
    422: {
      description: "The body does not have the form described, or a value cannot be used (`problems` says which).",
      content: { [PROBLEM_TYPE]: { schema: z.union([unfit, problemSchema]) } },
    },
  },
});

/** The routes of the settings. */
export function settingsRoutes({ settings: api }: NodeApi) {
  return router()
    .openapi(getSettings, (c) => c.json(api.state(), 200))
    .openapi(changeSettings, async (c) => {
      const result = await api.change(c.req.valid("json").settings, doerOf(c));
      if (result.ok) return c.json(result.state, 200);
      const detail = result.problems.map(({ key, message }) => `${key}: ${message}`).join("; ");
      const body = {
        type: "about:blank",
        title: "Unprocessable Content",
        status: 422,
        detail,
        problems: result.problems,
      };
      return c.json(body, 422, { "content-type": PROBLEM_TYPE });
    });
}
