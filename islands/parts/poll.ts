/** Numbers that change all the time: read again and again while somebody looks. */

import { useEffect, useRef } from "preact/hooks";

/** Calls `run` every `ms` milliseconds while the page is visible, and once when it becomes so again; 0 = not at all. */
export function usePolling(ms: number, run: () => unknown): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (ms === 0) return;
    const look = () => document.visibilityState === "visible" && latest.current();
    const timer = setInterval(look, ms);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [ms]);
}
