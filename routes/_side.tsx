/** The navigation as it is drawn: a column, a bar for phones with a sheet for the rest, and the menu of who is signed in. */

import HelpIsland from "../islands/help.tsx";
import { Disc } from "../islands/parts/ui.tsx";
import { plural } from "../islands/parts/words.ts";
import { Icon } from "./_icons.tsx";
import type { PageContext, Theme } from "./_layout.tsx";
import type { Place } from "./_navigation.ts";
import { island } from "./_island.tsx";
import { helpTexts } from "./texts/help.ts";
import { LANGUAGES } from "./texts/index.ts";

const Help = island("help", HelpIsland);

interface PlacesProps {
  page: PageContext;
  places: Place[];
}

/** The column of wide screens. */
export function Side({ page, places }: PlacesProps) {
  const { t } = page;
  const [main, node] = [places.filter(({ group }) => group === "main"), places.filter(({ group }) => group === "node")];
  return (
    <nav aria-label={t.layout.menu} class="hidden md:block mt-5">
      <ul class="grid gap-1">{main.map((place) => <Row key={place.href} page={page} place={place} />)}</ul>
      {node.length > 0 && (
        <>
          <p class="mt-6 mb-1 px-3 text-xs font-medium text-muted" id="nav-node">{t.layout.groupNode}</p>
          <ul class="grid gap-1" aria-labelledby="nav-node">
            {node.map((place) => <Row key={place.href} page={page} place={place} />)}
          </ul>
        </>
      )}
    </nav>
  );
}

function Row({ page, place: { to, key, icon, here, waiting } }: { page: PageContext; place: Place }) {
  return (
    <li>
      <a
        href={to}
        aria-current={here ? "page" : undefined}
        class={`flex items-center gap-3 px-3 py-2 rounded-lg ${
          here ? "text-accent font-semibold bg-accent-soft" : "text-muted hover:text-ink hover:bg-sunken"
        }`}
      >
        <Icon name={icon} />
        <span class="truncate">{page.t.layout.pages[key]}</span>
        {waiting > 0 && <Waiting page={page} n={waiting} />}
      </a>
    </li>
  );
}

function Waiting({ page, n }: { page: PageContext; n: number }) {
  return (
    <span class="ml-auto rounded-full bg-accent text-accent-ink px-2 text-xs font-semibold">
      <span aria-hidden="true">{n}</span>
      <span class="sr-only">{plural(page.lang, n, page.t.layout.requestsWait)}</span>
    </span>
  );
}

const BAR = "relative w-full h-14 flex flex-col items-center justify-center gap-px px-px text-2xs";

/** The bar of phones. */
export function Bar({ page, places }: PlacesProps) {
  const { t } = page;
  const rest = places.filter(({ group }) => group === "node");
  return (
    <nav aria-label={t.layout.menu} class="bar md:hidden fixed z-30 bottom-0 inset-x-0 bg-surface border-t border-line">
      <ul class="flex">
        {places.filter(({ group }) =>
          group === "main"
        ).map(({ to, key, icon, here, waiting }) => (
          <li key={key} class="flex-auto min-w-0">
            <a
              href={to}
              aria-current={here ? "page" : undefined}
              class={`${BAR} ${here ? "text-accent font-semibold" : "text-muted"}`}
            >
              <Icon name={icon} />
              <span class="max-w-full truncate">
                {key === "conversations" ? t.layout.short[key] : t.layout.pages[key]}
              </span>
              {waiting > 0 && (
                <span class="absolute top-1 left-1/2 ml-1 flex">
                  <Waiting page={page} n={waiting} />
                </span>
              )}
            </a>
          </li>
        ))}
        {rest.length > 0 && (
          <li class="flex-auto min-w-0">
            <button
              type="button"
              popovertarget="more"
              class={`${BAR} ${
                rest.some(({ here }) => here)
                  ? "text-accent font-semibold"
                  : "text-muted"
              }`}
            >
              <Icon name="more" />
              <span class="max-w-full truncate">{t.layout.more}</span>
            </button>
          </li>
        )}
      </ul>
    </nav>
  );
}

/** What the bar has no room for. */
export function Sheet({ page, places }: PlacesProps) {
  return (
    <div popover="auto" id="more" class="sheet">
      <nav aria-label={page.t.layout.more}>
        <ul class="grid gap-1">
          {places.filter(({ group }) => group === "node").map((place) => (
            <Row key={place.href} page={page} place={place} />
          ))}
        </ul>
      </nav>
    </div>
  );
}

/** Who is signed in: appearance and language, kept in cookies, and the way out. */
export function Menu({ page, places }: PlacesProps) {
  const { t, name, role } = page;
  return (
    <div class="md:mt-auto md:pt-3">
      <Help
        t={helpTexts[page.lang]}
        places={places.map(({ letter, key, to }) => ({ key: letter, name: t.layout.pages[key], to }))}
      />
      <button
        type="button"
        popovertarget="menu"
        class="flex items-center gap-3 md:w-full rounded-lg md:px-2 py-1 text-left hover:bg-sunken"
      >
        <Disc name={name} />
        <span class="sr-only md:not-sr-only min-w-0">
          <span class="block truncate font-medium">
            <bdi>{name}</bdi>
          </span>
          {role !== null && <span class="block text-xs text-muted">{t.layout.roles[role]}</span>}
        </span>
        <span class="sr-only">{t.layout.preferences}</span>
      </button>
      <div popover="auto" id="menu" class="menu">
        <a href="/account" class="block rounded-lg px-3 py-2 -mx-1 mb-3 font-medium hover:bg-sunken">
          {t.layout.account}
        </a>
        <Preferences page={page} />
        <form method="post" action="/sign-out" class="mt-4 pt-3 border-t border-line">
          <button type="submit" class="button small w-full">{t.layout.signOut}</button>
        </form>
      </div>
    </div>
  );
}

/** The choice of colours and language. */
export function Preferences({ page: { t, theme, lang, path } }: { page: PageContext }) {
  const themes: [Theme, string][] = [["light", t.layout.light], ["dark", t.layout.dark], ["auto", t.layout.auto]];
  return (
    <form method="post" action="/preferences" class="grid gap-2 text-sm">
      <input type="hidden" name="back" value={path} />
      <p class="text-muted">{t.layout.theme}</p>
      <div class="segments">
        {themes.map(([value, label]) => (
          <button type="submit" key={value} name="theme" value={value} aria-pressed={theme === value}>{label}</button>
        ))}
      </div>
      <p class="text-muted mt-1">{t.layout.languageIs}</p>
      <div class="segments">
        {LANGUAGES.map(({ lang: value, name }) => (
          <button type="submit" key={value} name="lang" value={value} lang={value} aria-pressed={lang === value}>
            {name}
          </button>
        ))}
      </div>
    </form>
  );
}
