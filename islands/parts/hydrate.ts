/** Brings the islands of a page to life. */

import { type ComponentType, h, hydrate } from "preact";
import { NamesOf } from "./names.ts";
import { placeOf } from "./words.ts";

/** Loads the file of an island. */
// deno-lint-ignore no-explicit-any -- each island has props of its own, and the page that names it gives it those
type Loader = () => Promise<{ default: ComponentType<any> }>;

/** Loads and hydrates each `<k-island>` with the props that stand in it, then marks it as ready. */
export function hydrateIslands(loaders: Record<string, Loader>): void {
  const elements = [...document.querySelectorAll<HTMLElement>("k-island")];
  let waiting = elements.length;
  for (const element of elements) {
    const data = element.querySelector(":scope > script");
    const load = loaders[element.dataset.name ?? ""];
    if (!data || !load) continue;
    const props: object = JSON.parse(data.textContent ?? "{}");
    data.remove(); // before hydrate, or the trees differ
    load().then(({ default: Island }) => {
      hydrate(
        h(NamesOf.Provider, { value: { prefix: element.dataset.prefix ?? "", n: 0 } }, h(Island, props)),
        element,
      );
      element.dataset.ready = "1";
      // for who measures: ms since the page was asked for
      if (--waiting === 0) document.documentElement.dataset.ready = performance.now().toFixed();
    });
  }
  localTimes();
  // on phones a line of tabs is wider than the screen
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
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
