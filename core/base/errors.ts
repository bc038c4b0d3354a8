/** Errors of our own: each room derives its own class, so that a catch can tell whose fault it was. */

/** The root of every error that Kituo throws on purpose. */
export abstract class KituoError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** Bytes from the network (or from a file others wrote) that break their format. The peer's fault, never ours. */
export class ProtocolError extends KituoError {
  /** @param format which codec refused, e.g. "msgpack", "stun", "pkt-line" */
  constructor(readonly format: string, message: string, options?: ErrorOptions) {
    super(`${format}: ${message}`, options);
  }
}

/** More than a documented limit allows: sizes, counts, rates, queues. */
export class LimitError extends KituoError {
  constructor(readonly limit: string, message = "limit exceeded") {
    super(`${limit}: ${message}`);
  }
}

/** Something did not happen in its time. */
export class TimeoutError extends KituoError {
  constructor(what: string, ms: number) {
    super(`${what}: nothing within ${ms} ms`);
  }
}

/** The message of anything thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
