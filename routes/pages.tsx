/** The pages of the console. All but the sign-in are for who is signed in. */

import { bodyLimit } from "hono/body-limit";
import { compress } from "hono/compress";
import { HTTPException } from "hono/http-exception";
import type { Context } from "hono";
import { type NodeApi, NodeError } from "../core/node_api.ts";
import { accountPage } from "./account.tsx";
import { adminsPage } from "./admins.tsx";
import { auditPage } from "./audit.tsx";
import { addPage } from "./add.tsx";
import { callerOf } from "./caller.ts";
import { MAX_BODY } from "./constants.ts";
import { conversationPage, type Section, SECTIONS } from "./conversation.tsx";
import { conversationsPage } from "./conversations.tsx";
import { devicesPage } from "./devices.tsx";
import { errorPage } from "./errors.tsx";
import { networkPage } from "./network.tsx";
import { newGroupPage } from "./new_group.tsx";
import { overviewPage } from "./overview.tsx";
import { keepPreferences, type Renderer } from "./_page.tsx";
import type { Privacy } from "./privacy.ts";
import { PROTECTION_PAGES } from "./protection.tsx";
import { requestsPage } from "./requests.tsx";
import { router } from "./router.ts";
import { settingsPage } from "./settings.tsx";
import { requireSession } from "./middlewares/require_session.ts";

/** What the pages are made with. */
export interface PagesOptions {
  api: NodeApi;
  renderer: Renderer;
  privacy: Privacy;
}

/** The routes of the pages. */
export function pageRoutes({ api, renderer, privacy }: PagesOptions) {
  const routes = router();
  const packed = compress();
  // answers of the API may stand beside what a stranger wrote: packed, their length would tell of it
  routes.use((c, next) => c.req.path.startsWith("/api/") ? next() : packed(c, next));
  const refuse = (c: Context) => renderer.page(c, (page) => errorPage(page, 403), { status: 403 });
  const [viewer, moderator, owner] = (["viewer", "moderator", "owner"] as const)
    .map((role) => requireSession(role, refuse));
  const limit = bodyLimit({ maxSize: MAX_BODY, onError: () => tooLarge() });
  const section = (name: Section) => (c: Context) =>
    renderer.page(c, (page) => {
      return conversationPage(
        { api, page, privacy, caller: callerOf(c), at: entryOf(c), all: c.req.query("all") !== undefined },
        c.req.param("id") ?? "",
        name,
      );
    });

  routes.get("/", viewer, (c) => renderer.page(c, (page) => overviewPage(api, page)));
  routes.get(
    "/conversations",
    moderator,
    (c) => renderer.page(c, (page) => conversationsPage(api, page, c.req.query("waiting") !== undefined)),
  );
  routes.get("/conversations/new", moderator, (c) => renderer.page(c, (page) => newGroupPage(api, page)));
  for (const name of SECTIONS) {
    routes.get(`/conversations/:id${name === "timeline" ? "" : `/${name}`}`, moderator, section(name));
  }
  routes.get("/add", viewer, (c) => renderer.page(c, (page) => addPage(api, page)));
  routes.get("/requests", moderator, (c) => renderer.page(c, (page) => requestsPage(api, page)));
  routes.get("/settings", owner, (c) => renderer.page(c, (page) => settingsPage(api, page)));
  for (const [path, draw] of Object.entries(PROTECTION_PAGES)) {
    routes.get(
      `/protection${path}`,
      moderator,
      (c) => renderer.page(c, (page) => draw({ api, page, privacy, caller: callerOf(c) })),
    );
  }
  routes.get("/network", viewer, (c) => renderer.page(c, (page) => networkPage(api, page)));
  routes.get("/account", viewer, (c) => renderer.page(c, (page) => accountPage(api, page, callerOf(c))));
  routes.get("/settings/devices", owner, (c) => renderer.page(c, (page) => devicesPage(api, page)));
  routes.get("/settings/admins", owner, (c) => renderer.page(c, (page) => adminsPage(api, page, callerOf(c))));
  routes.get("/audit", owner, (c) => renderer.page(c, (page) => auditPage(api, page, c)));

  routes.post("/preferences", limit, keepPreferences);
  return routes;
}

/** The entry that an address names; "" = none, or that is no id. */
function entryOf(c: Context): string {
  return /^[0-9a-f]{40}$/.exec(c.req.query("at") ?? "")?.[0] ?? "";
}

/** The page for an error, when a person asked for a page; null = a program did. */
export function errorAnswer(renderer: Renderer, c: Context, error?: Error): Promise<Response> | null {
  if (c.req.path.startsWith("/api/") || !c.req.header("accept")?.includes("text/html")) return null;
  if (!c.get("caller")) return null;
  const isNothing = error === undefined || (error instanceof NodeError && error.fault === "not found") ||
    (error instanceof HTTPException && error.status === 404);
  const status = isNothing ? 404 : 500;
  return renderer.page(c, (page) => errorPage(page, status), { status });
}

function tooLarge(): never {
  throw new HTTPException(413, { message: `A body may have ${MAX_BODY} bytes.` });
}
