/** Brings the islands of a page to life. */

import { type ComponentChildren, type ComponentType, h, hydrate } from "preact";
import { useEffect } from "preact/hooks";
import { NamesOf } from "./names.ts";
import { placeOf } from "./words.ts";

/** Loads the file of an island. */
// deno-lint-ignore no-explicit-any -- each island has props of its own, and the page that names it gives it those
type Loader = () => Promise<{ default: ComponentType<any> }>;

/** Loads and hydrates each `<k-island>` with the props that stand in it, and marks it as ready once it listens. */
export function hydrateIslands(loaders: Record<string, Loader>): void {
  const elements = [...document.querySelectorAll<HTMLElement>("k-island")];
  let waiting = elements.length;
  for (const element of elements) {
    const data = element.querySelector(":scope > script");
    const load = loaders[element.dataset.name ?? ""];
    if (!data || !load) continue;
    const props: object = JSON.parse(data.textContent ?? "{}");
    data.remove(); // before hydrate, or the trees differ
    const alive = () => {
      element.dataset.ready = "1";
      // for who measures: ms since the page was asked for
      if (--waiting === 0) document.documentElement.dataset.ready = performance.now().toFixed();
    };
    load().then(({ default: Island }) => {
      const names = { prefix: element.dataset.prefix ?? "", n: 0 };
      hydrate(h(NamesOf.Provider, { value: names }, h(Alive, { alive }, h(Island, props))), element);
    });
  }
  localTimes();
  // on phones a line of tabs is wider than the screen
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
}

/** Tells when the effects of what it holds have run, which is after the next frame: until then no key is listened for. */
function Alive({ alive, children }: { alive: () => void; children?: ComponentChildren }) {
  useEffect(alive, []);
  return children;
}

/** Times outside of islands were written in UTC: the browser knows better where the reader is. */
function localTimes(): void {
  const place = placeOf(document.documentElement.lang);
  for (const time of document.querySelectorAll<HTMLTimeElement>("time[data-local]")) {
    time.textContent = new Date(time.dateTime).toLocaleString(place, {
      dateStyle: "medium",
      timeStyle: "short",
    });
  }
}
