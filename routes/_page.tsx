/** Draws pages. */

import type { ComponentChild } from "preact";
import { render } from "preact-render-to-string";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { NodeApi } from "../core/node_api.ts";
import type { Assets } from "./assets.ts";
import { Layout, type PageContext, type Theme } from "./_layout.tsx";
import { placesFor } from "./_navigation.ts";
import { isLang, languageFor, textsOf } from "./texts/index.ts";

const THEME_COOKIE = "kituo_theme";
const LANG_COOKIE = "kituo_lang";
/** Seconds that a choice is remembered: a year. */
const REMEMBERED = 31_536_000;

/** A page: its title, and what is drawn. */
export interface Page {
  title: string;
  body: ComponentChild;
}

/** Draws the pages of one node. */
export class Renderer {
  /** @param newest the id of the newest event */
  constructor(
    private readonly api: NodeApi,
    private readonly assets: Assets,
    private readonly newest: () => string,
  ) {}

  /** What the page knows of its reader. */
  context(c: Context): PageContext {
    const lang = languageFor(getCookie(c, LANG_COOKIE), c.req.header("accept-language"));
    return {
      lang,
      t: textsOf(lang),
      theme: themeOf(getCookie(c, THEME_COOKIE)),
      assets: this.assets,
      node: this.api.info().name,
      path: c.req.path,
      role: c.get("caller")?.role ?? null,
      name: c.get("caller")?.name ?? "",
      event: this.newest(),
    };
  }

  /** A page as an answer. @param signedIn whether who is signed in sees where else to go */
  async page(
    c: Context,
    draw: (page: PageContext) => Page | Promise<Page>,
    { status = 200, signedIn = true }: { status?: ContentfulStatusCode; signedIn?: boolean } = {},
  ): Promise<Response> {
    const known = this.context(c);
    const page = signedIn ? known : { ...known, role: null };
    const { title, body } = await draw(page);
    const places = placesFor(page.role, page.path, this.api);
    const html = render(<Layout page={page} title={title} places={places}>{body}</Layout>);
    return c.html(`<!doctype html>${html}`, status, { "cache-control": "no-store" });
  }
}

/** Keeps what a reader chose, and leads back. */
export async function keepPreferences(c: Context): Promise<Response> {
  const { theme, lang, back } = await c.req.parseBody();
  const options = { path: "/", maxAge: REMEMBERED, sameSite: "Lax", httpOnly: true } as const;
  if (theme === "light" || theme === "dark") setCookie(c, THEME_COOKIE, theme, options);
  if (theme === "auto") deleteCookie(c, THEME_COOKIE, options);
  if (typeof lang === "string" && isLang(lang)) setCookie(c, LANG_COOKIE, lang, options);
  return c.redirect(localPath(back), 303);
}

/** A path of this site; "/" for all else, so that nobody is led elsewhere. */
export function localPath(given: unknown): string {
  return typeof given === "string" && /^\/(?![/\\])[\x21-\x7e]*$/.test(given) ? given : "/";
}

function themeOf(cookie: string | undefined): Theme {
  return cookie === "light" || cookie === "dark" ? cookie : "auto";
}
