/** What stands around every page: head, navigation, appearance. */

import type { ComponentChildren } from "preact";
import { covers, type Role } from "../core/admins/roles.ts";
import { plural } from "../islands/parts/words.ts";
import { ASSETS, type Assets } from "./assets.ts";
import { Icon, type IconName, Sign } from "./_icons.tsx";
import { type Lang, LANGUAGES, type Texts } from "./texts/index.ts";

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
}

/** The pages of the navigation: where, under which name and icon, and for whom. */
const NAVIGATION: { href: string; key: "overview" | "conversations" | "requests"; icon: IconName; role: Role }[] = [
  { href: "/", key: "overview", icon: "overview", role: "viewer" },
  { href: "/conversations", key: "conversations", icon: "conversations", role: "moderator" },
  { href: "/requests", key: "requests", icon: "requests", role: "moderator" },
];

interface LayoutProps {
  page: PageContext;
  title: string;
  /** requests that wait */
  requests: number;
  children: ComponentChildren;
}

/** A whole document. */
export function Layout({ page, title, requests, children }: LayoutProps) {
  const { lang, t, theme, assets, node } = page;
  return (
    <html lang={lang} data-theme={theme === "auto" ? undefined : theme}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · ${node}`}</title>
        <link rel="icon" type="image/svg+xml" href={`${ASSETS}/icon.svg`} />
        {assets.css && <link rel="stylesheet" href={`${ASSETS}/${assets.css}`} />}
        {assets.client && <script type="module" src={`${ASSETS}/${assets.client}`} />}
      </head>
      <body>
        <a class="skip" href="#content">{t.layout.skip}</a>
        {page.role === null
          ? <main id="content" tabIndex={-1} class="min-h-screen flex items-center justify-center p-4">{children}</main>
          : (
            <div class="md:flex min-h-screen">
              <Side page={page} requests={requests} />
              <main id="content" tabIndex={-1} class="flex-1 min-w-0 px-4 pt-5 pb-24 md:px-10 md:py-9 outline-none">
                <div class="max-w-6xl mx-auto">{children}</div>
              </main>
            </div>
          )}
      </body>
    </html>
  );
}

/** The navigation: a column on wide screens; on phones a line above and the pages below. */
function Side({ page, requests }: { page: PageContext; requests: number }) {
  const { t, node } = page;
  return (
    <header class="bg-surface border-b border-line md:border-b-0 md:border-r md:w-60 md:h-screen md:sticky md:top-0 flex md:flex-col items-center md:items-stretch gap-4 px-4 py-3 md:py-6">
      <a href="/" class="flex items-center gap-3 md:px-2 min-w-0 mr-auto md:mr-0">
        <Sign />
        <span class="font-semibold truncate">{node}</span>
      </a>
      <nav
        aria-label={t.layout.menu}
        class="fixed md:static z-30 bottom-0 inset-x-0 bg-surface border-t md:border-0 border-line md:mt-3"
      >
        <ul class="flex md:flex-col md:gap-1 justify-around">
          {NAVIGATION.filter(({ role }) => page.role !== null && covers(page.role, role)).map(({ href, key, icon }) => {
            const here = href === "/" ? page.path === "/" : page.path.startsWith(href);
            return (
              <li key={href} class="flex-1 md:flex-none">
                <a
                  href={href}
                  aria-current={here ? "page" : undefined}
                  class={`relative flex flex-col md:flex-row items-center md:gap-3 px-2 md:px-3 py-2 md:rounded-lg text-xs md:text-base ${
                    here
                      ? "text-accent font-semibold md:bg-accent-soft"
                      : "text-muted hover:text-ink md:hover:bg-sunken"
                  }`}
                >
                  <Icon name={icon} />
                  <span>{t.layout[key]}</span>
                  {key === "requests" && requests > 0 && (
                    <span class="absolute md:static top-1 left-1/2 ml-2 md:ml-auto rounded-full bg-accent text-accent-ink px-1.5 text-xs font-semibold">
                      <span aria-hidden="true">{requests}</span>
                      <span class="sr-only">{plural(page.lang, requests, t.layout.requestsWait)}</span>
                    </span>
                  )}
                </a>
              </li>
            );
          })}
        </ul>
      </nav>
      <Preferences page={page} />
    </header>
  );
}

/** Appearance and language, kept in cookies; and the way out. Works without scripts. */
function Preferences({ page }: { page: PageContext }) {
  const { t, theme, lang, path } = page;
  const themes: [Theme, string][] = [["light", t.layout.light], ["dark", t.layout.dark]];
  return (
    <div class="md:mt-auto relative">
      <details>
        <summary class="cursor-pointer list-none flex items-center gap-3 rounded-lg px-2 md:px-3 py-2 text-muted hover:text-ink hover:bg-sunken">
          <Icon name="settings" />
          <span class="sr-only md:not-sr-only md:text-sm">{t.layout.preferences}</span>
        </summary>
        <div class="panel p-4 absolute z-40 right-0 md:right-auto md:left-0 top-full md:top-auto md:bottom-full mt-2 md:mb-2 w-56">
          <form method="post" action="/preferences" class="grid gap-2 text-sm">
            <input type="hidden" name="back" value={path} />
            <p class="text-muted">{t.layout.theme}</p>
            <div class="flex gap-2">
              {themes.map(([value, name]) => (
                <button
                  type="submit"
                  key={value}
                  name="theme"
                  value={value}
                  class="button small flex-1"
                  aria-pressed={theme === value}
                >
                  {name}
                </button>
              ))}
            </div>
            <p class="text-muted mt-1">{t.layout.languageIs}</p>
            <div class="flex gap-2">
              {LANGUAGES.map(({ lang: value, name }) => (
                <button
                  type="submit"
                  key={value}
                  name="lang"
                  value={value}
                  lang={value}
                  class="button small flex-1"
                  aria-pressed={lang === value}
                >
                  {name}
                </button>
              ))}
            </div>
          </form>
          <form method="post" action="/sign-out" class="mt-4 pt-3 border-t border-line">
            <button type="submit" class="button small w-full">{t.layout.signOut}</button>
          </form>
        </div>
      </details>
    </div>
  );
}
