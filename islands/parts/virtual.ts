/** Draws only what is in view of a long list that scrolls with the page, and keeps in its place what is looked at. */

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Pixels that a row takes until it was measured. */
const ESTIMATE = 68;
/** Pixels drawn above and below what is in view. */
const MARGIN = 600;
/** Pixels between the top of the window and a row that was jumped to. */
const JUMP_MARGIN = 120;

/** Which rows are drawn, and where. */
export interface Window {
  /** index of the first row, and of the first one not drawn any more */
  from: number;
  to: number;
  /** pixels above the first row, and of all rows; null = not known yet, all is drawn as it comes */
  top: number | null;
  total: number | null;
  /** Scrolls to a row. */
  jump: (key: string) => void;
}

/** A part of the list, in pixels from its top. */
interface View {
  top: number;
  bottom: number;
}

/**
 * Follows the scrolling of the page. When rows above the view come, go or turn out higher than they were thought, the page
 * is scrolled by as much, so that nothing moves under the reader's eyes; at the top of the list new rows push the others.
 * @param keys the rows, in order, by names that stay
 * @param list the element that holds the drawn rows, one child each
 * @param first how many rows are drawn before the page lives
 */
export function useWindow(keys: string[], list: RefObject<HTMLElement | null>, first: number): Window {
  const heights = useRef(new Map<string, number>());
  const latest = useRef(keys);
  latest.current = keys;
  /** the first row in view, and how far below the top of the list it stood */
  const anchor = useRef<{ key: string; y: number } | null>(null);
  const [view, setView] = useState<View | null>(null);
  const [, redraw] = useState(0);
  const box = () => list.current?.parentElement?.getBoundingClientRect();

  const look = () => {
    const { top } = box() ?? { top: 0 };
    setView({ top: -top - MARGIN, bottom: innerHeight - top + MARGIN });
    anchor.current = top >= 0 ? null : rowAt(-top, latest.current, heights.current);
  };
  const jump = (key: string) => {
    anchor.current = { key, y: topOf(key, latest.current, heights.current) ?? 0 };
    scrollTo(0, scrollY + (box()?.top ?? 0) + anchor.current.y - JUMP_MARGIN);
  };
  useEffect(() => {
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
    const held = anchor.current;
    const y = held ? topOf(held.key, keys, heights.current) : null;
    if (held && y !== null && y !== held.y) {
      scrollBy(0, y - held.y);
      held.y = y;
      changed = true;
    }
    if (changed) redraw((n) => n + 1);
  });
  return { ...drawn, jump };
}

/** The rows that any part of `view` shows. */
function rowsIn(view: View, keys: string[], heights: Map<string, number>): Omit<Window, "jump"> {
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

/** The row that stands at `y`. */
function rowAt(y: number, keys: string[], heights: Map<string, number>): { key: string; y: number } | null {
  let top = 0;
  for (const key of keys) {
    const height = heights.get(key) ?? ESTIMATE;
    if (top + height > y) return { key, y: top };
    top += height;
  }
  return null;
}

/** Where a row begins; null = it is not in the list. */
function topOf(wanted: string, keys: string[], heights: Map<string, number>): number | null {
  let top = 0;
  for (const key of keys) {
    if (key === wanted) return top;
    top += heights.get(key) ?? ESTIMATE;
  }
  return null;
}
