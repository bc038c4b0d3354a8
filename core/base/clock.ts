/** The one source of time, passed in everywhere, so that tests can run in virtual time. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once after `ms` milliseconds; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.max(0, ms)); // what is overdue runs next; a negative time would be warned about
    return () => clearTimeout(timer);
  },
};

/** Seconds since 1970, whole. */
export function seconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

/**
 * Resolves after `ms` milliseconds.
 * @throws the signal's reason, when `signal` is aborted first
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const stop = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", stop);
      resolve();
    });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Calls `run` every `ms` milliseconds until the returned function is called. */
export function every(clock: Clock, ms: number, run: () => void): () => void {
  let cancel = clock.after(ms, tick);
  function tick() {
    cancel = clock.after(ms, tick);
    run();
  }
  return () => cancel();
}
