/** A small typed event emitter. Listeners run at once, in the order they came; one that throws does not stop the others. */

import { getLogger } from "@logtape/logtape";

const log = getLogger(["kituo", "base"]);

/** Maps the name of an event to the type of its one argument. */
export type EventMap = Record<string, unknown>;

export class Emitter<Events extends EventMap> {
  #listeners = new Map<keyof Events, Set<(event: never) => void>>();

  /** Calls `listener` at each `name`; returns what undoes it. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set);
    set.add(listener);
    return () => set.delete(listener);
  }

  /** Tells all listeners of `name`. */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      try {
        (listener as (event: Events[Name]) => void)(event); // reason: `on` put it under this very name
      } catch (error) {
        log.error("a listener of {name} failed: {error}", { name: String(name), error });
      }
    }
  }

  /** Resolves with the first `name` for which `test` holds. */
  once<Name extends keyof Events>(
    name: Name,
    test: (event: Events[Name]) => boolean = () => true,
  ): Promise<Events[Name]> {
    return new Promise((resolve) => {
      const off = this.on(name, (event) => {
        if (!test(event)) return;
        off();
        resolve(event);
      });
    });
  }
}
