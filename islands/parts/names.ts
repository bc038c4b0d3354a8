/**
 * Ids of elements, for labels and hints. Each island of a page has names of its own, the same on the server and in the
 * browser. (Preact's `useId` counts anew in every island, so that labels led to fields of others.)
 */

import { createContext } from "preact";
import { useContext, useState } from "preact/hooks";

/** Names that were given out in one island. */
export interface Names {
  prefix: string;
  n: number;
}

/** What stands around every island; outside of them names are the page's. */
export const NamesOf = createContext<Names>({ prefix: "page", n: 0 });

/** A name that no other element of the page has. */
export function useName(): string {
  const names = useContext(NamesOf);
  const [name] = useState(() => `${names.prefix}-${names.n++}`);
  return name;
}
