/** What stands around every page: head, navigation, appearance. All of it works without scripts. */

import type { ComponentChildren } from "preact";
import type { Role } from "../core/admins/roles.ts";
import { ASSETS, type Assets } from "./assets.ts";
import { Sign } from "./_icons.tsx";
import type { Place } from "./_navigation.ts";
import { Bar, Menu, Sheet, Side } from "./_side.tsx";
import type { Lang, Texts } from "./texts/index.ts";
import { plain } from "../islands/parts/given.tsx";

/** Light, dark, or as the browser says. */
export type Theme = "light" | "dark" | "auto";

/** What a page knows of its reader and its node. */
export interface PageContext {
  lang: Lang;
  t: Texts;
  theme: Theme;
  assets: Assets;
  /** the node's name */
  node: string;
  /** path of this page */
  path: string;
  /** of who reads it; null = nobody is signed in, and there is nowhere to go */
  role: Role | null;
  /** of who reads it; "" = nobody is signed in */
  name: string;
  /** id of the newest event before the page was drawn */
  event: string;
}

interface LayoutProps {
  page: PageContext;
  title: string;
  places: Place[];
  children: ComponentChildren;
}

/** A whole document. */
export function Layout({ page, title, places, children }: LayoutProps) {
  const { lang, t, theme, assets, node, role, event } = page;
  return (
    <html lang={lang} data-theme={theme === "auto" ? undefined : theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{plain(`${title} · ${node}`)}</title>
        <link rel="icon" type="image/svg+xml" href={`${ASSETS}/icon.svg`} />
        {assets.css && <link rel="stylesheet" href={`${ASSETS}/${assets.css}`} />}
        {assets.client && <script type="module" src={`${ASSETS}/${assets.client}`} />}
      </head>
      <body data-event={role === null ? undefined : event}>
        <a class="skip" href="#content">{t.layout.skip}</a>
        {role === null
          ? <main id="content" tabIndex={-1} class="min-h-screen flex items-center justify-center p-4">{children}</main>
          : <Signed page={page} places={places}>{children}</Signed>}
      </body>
    </html>
  );
}

/** On wide screens a column beside the page; on phones a line above it and a bar below. */
function Signed({ page, places, children }: Omit<LayoutProps, "title">) {
  return (
    <div class="md:flex min-h-screen">
      <header class="bg-surface border-b border-line md:border-b-0 md:border-r md:w-60 md:h-screen md:sticky md:top-0 md:overflow-y-auto flex md:flex-col items-center md:items-stretch gap-2 px-4 py-2 md:py-5">
        <a href="/" class="flex items-center gap-3 md:px-2 min-w-0 mr-auto md:mr-0">
          <Sign />
          <span class="font-semibold truncate">{page.node}</span>
        </a>
        <Side page={page} places={places} />
        <Menu page={page} places={places} />
      </header>
      <main id="content" tabIndex={-1} class="flex-1 min-w-0 px-4 pt-5 pb-28 md:px-10 md:py-9 outline-none">
        <div class="max-w-6xl mx-auto">{children}</div>
      </main>
      <Bar page={page} places={places} />
      <Sheet page={page} places={places} />
    </div>
  );
}
