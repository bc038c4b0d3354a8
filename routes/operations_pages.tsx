/** The pages for those who run the node: back-ups, log, about; and the page of the API for all who are signed in. */

import type { Context } from "hono";
import type { NodeApi } from "../core/node_api.ts";
import type { ApiDocument } from "./api_document.ts";
import { apiPage } from "./api_page.tsx";
import type { Assets } from "./assets.ts";
import { MAX_QUERY } from "./constants.ts";
import { errorPage } from "./errors.tsx";
import { requireSession } from "./middlewares/require_session.ts";
import type { Renderer } from "./_page.tsx";
import { router } from "./router.ts";
import { aboutPage, LICENCE, LICENCES, licenceTexts } from "./settings_about.tsx";
import { backupPage } from "./settings_backup.tsx";
import { logsPage } from "./settings_logs.tsx";

/** What the pages are made with. */
export interface OperationsOptions {
  api: NodeApi;
  renderer: Renderer;
  assets: Assets;
  /** the description of the API, once all routes are there */
  document: () => ApiDocument;
}

/** The routes of the pages. */
export function operationsPages({ api, renderer, assets, document }: OperationsOptions) {
  const routes = router();
  const refuse = (c: Context) => renderer.page(c, (page) => errorPage(page, 403), { status: 403 });
  const [viewer, owner] = [requireSession("viewer", refuse), requireSession("owner", refuse)];

  routes.get("/settings/backup", owner, (c) => renderer.page(c, (page) => backupPage(api, page)));
  routes.get("/settings/logs", owner, (c) => renderer.page(c, (page) => logsPage(api, page)));
  routes.get("/settings/about", viewer, (c) => renderer.page(c, (page) => aboutPage(api, assets, page)));
  routes.get(LICENCES, viewer, (c) => c.text(licenceTexts(assets.licences.packages)));
  routes.get(LICENCE, viewer, (c) => c.text(assets.licences.own));
  routes.get("/api", viewer, (c) => {
    const q = (c.req.query("q") ?? "").slice(0, MAX_QUERY), { origin } = new URL(c.req.url);
    return renderer.page(c, (page) => apiPage(document(), page, q, origin));
  });
  return routes;
}
