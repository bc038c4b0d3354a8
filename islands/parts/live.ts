/** What happens at the node, as it happens. */

import { useEffect, useRef, useState } from "preact/hooks";

/** What to do at which event; `reset`: events were missed; `opened`: the stream is open (again), events before that may have been missed. */
// deno-lint-ignore no-explicit-any -- each event has data of its own, in the form that the API describes
export type Handlers = Record<string, (data: any) => void>;

/** The stream that pages know a place in. */
const EVENTS = "/events";

/** The newest event when the page was drawn: a stream begins behind it, for what happens before the page lives is not in the page. */
function drawnAt(): string {
  const { event } = document.body.dataset;
  // what comes onto the page once it lives asks for its data itself
  return event && !document.documentElement.dataset.ready ? `?since=${encodeURIComponent(event)}` : "";
}

/** Calls the handlers of a component as long as it is there. @param stream under /api/v1 @returns whether the stream is open */
export function useEvents(handlers: Handlers, stream = EVENTS): boolean {
  const latest = useRef(handlers);
  latest.current = handlers;
  const [open, setOpen] = useState(true);
  useEffect(() => {
    const source = new EventSource(`/api/v1${stream}${stream === EVENTS ? drawnAt() : ""}`);
    source.onopen = () => {
      setOpen(true);
      latest.current.opened?.(undefined);
    };
    source.onerror = () => setOpen(false);
    for (const type of Object.keys(handlers)) {
      source.addEventListener(type, (event) => latest.current[type]?.(JSON.parse(event.data)));
    }
    return () => source.close();
  }, []);
  return open;
}
