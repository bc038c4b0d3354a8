/** Draws only what is in view of a long list that scrolls with the page. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Pixels that a row takes until it was measured. */
const ESTIMATE = 68;
/** Pixels drawn above and below what is in view. */
const MARGIN = 600;

/** Which rows are drawn, and where. */
export interface Window {
  /** index of the first row, and of the first one not drawn any more */
  from: number;
  to: number;
  /** pixels above the first row, and of all rows; null = not known yet, all is drawn as it comes */
  top: number | null;
  total: number | null;
}

/**
 * Follows the scrolling of the page.
 * @param keys the rows, in order, by names that stay
 * @param list the element that holds the drawn rows, one child each
 * @param first how many rows are drawn before the page lives
 */
export function useWindow(keys: string[], list: RefObject<HTMLElement | null>, first: number): Window {
  const heights = useRef(new Map<string, number>());
  const [view, setView] = useState<{ top: number; bottom: number } | null>(null);
  const [, redraw] = useState(0);

  useEffect(() => {
    const look = () => {
      const box = list.current?.parentElement?.getBoundingClientRect();
      if (box) setView({ top: -box.top - MARGIN, bottom: innerHeight - box.top + MARGIN });
    };
    let asked = false;
    const later = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        look();
      });
    };
    const resized = () => {
      heights.current.clear();
      later();
    };
    look();
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", resized);
    return () => {
      removeEventListener("scroll", later);
      removeEventListener("resize", resized);
    };
  }, []);

  const drawn = view
    ? rowsIn(view, keys, heights.current)
    : { from: 0, to: Math.min(first, keys.length), top: null, total: null };

  useLayoutEffect(() => {
    if (!view) return;
    let changed = false;
    [...list.current?.children ?? []].forEach((row, i) => {
      const key = keys[drawn.from + i];
      const height = row.getBoundingClientRect().height;
      if (key === undefined || heights.current.get(key) === height) return;
      heights.current.set(key, height);
      changed = true;
    });
    if (changed) redraw((n) => n + 1);
  });
  return drawn;
}

/** The rows that any part of `view` shows. */
function rowsIn(view: { top: number; bottom: number }, keys: string[], heights: Map<string, number>): Window {
  let y = 0, from = -1, top = 0, to = 0;
  keys.forEach((key, i) => {
    const height = heights.get(key) ?? ESTIMATE;
    if (y + height > view.top && y < view.bottom) {
      if (from < 0) [from, top] = [i, y];
      to = i + 1;
    }
    y += height;
  });
  return from < 0 ? { from: 0, to: 0, top: 0, total: y } : { from, to, top, total: y };
}
