/** Asks one name server over HTTP (account.md 10.1). What it says is hostile: bounded, and checked before it is believed. */

import { strictText, utf8 } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { KituoError, LimitError, messageOf } from "../base/errors.ts";
import { Semaphore } from "../base/limits.ts";
import { type AccountId, isAccountId } from "../identity/ids.ts";
import { checkNameRecord, isNameToLookUp, NameError, type RegisterRequest } from "../identity/names.ts";
import { MAX_NAME_ANSWER, NAME_REQUESTS, NAME_REQUESTS_QUEUE, NAME_SERVER_TIMEOUT } from "./constants.ts";

/** Why the name server was of no use. */
export type NameServerFault =
  /** it could not be reached, or says that it cannot answer now */
  | "unavailable"
  /** it answered something that does not hold */
  | "not valid"
  /** the name belongs to somebody, or the account has one already */
  | "taken"
  /** it does not accept the registration as it was sent */
  | "refused";

/** The name server was of no use. */
export class NameServerError extends KituoError {
  constructor(readonly fault: NameServerFault, message: string, options?: ErrorOptions) {
    super(`name server: ${message}`, options);
  }
}

/** An answer: the status, and the parsed JSON of the body (`null` when it is none). */
interface Answer {
  status: number;
  json: Record<string, unknown> | null;
}

/** One name server. */
export class NameServerClient {
  readonly #places = new Semaphore("name server", NAME_REQUESTS, NAME_REQUESTS_QUEUE);
  readonly #stopped = new AbortController();

  /** @param server its URL, without a slash at the end */
  constructor(private readonly server: string, private readonly clock: Clock) {}

  /**
   * Whose name it is, the signature checked if there is one.
   * @param name in lower case
   * @returns null: nobody's
   * @throws {NameServerError}
   */
  async accountOf(name: string): Promise<AccountId | null> {
    const { status, json } = await this.#ask("GET", `/name/${encodeURIComponent(name)}`);
    if (status === 404 || status === 400) return null;
    if (status !== 200) throw new NameServerError("unavailable", `status ${status}`);
    const { addr, publickey, signature } = json ?? {};
    const optional = (field: unknown) => typeof field === "string" ? field : undefined;
    try {
      return await checkNameRecord(name, {
        addr: optional(addr) ?? "",
        publickey: optional(publickey),
        signature: optional(signature),
      });
    } catch (error) {
      if (error instanceof NameError) throw new NameServerError("not valid", error.message, { cause: error });
      throw error;
    }
  }

  /**
   * The name of an account, as the server says: ask {@link accountOf} whether the account says so, too.
   * @returns null: it has none
   * @throws {NameServerError}
   */
  async nameOf(account: AccountId): Promise<string | null> {
    if (!isAccountId(account)) throw new NameServerError("not valid", "not a Jami ID");
    const { status, json } = await this.#ask("GET", `/addr/${account}`);
    if (status === 404) return null;
    if (status !== 200) throw new NameServerError("unavailable", `status ${status}`);
    const { name } = json ?? {};
    if (name === "") return null;
    if (typeof name === "string" && isNameToLookUp(name)) return name.toLowerCase();
    throw new NameServerError("not valid", "not a name");
  }

  /** Registers a name. @param name in lower case. @throws {NameServerError} */
  async register(name: string, request: RegisterRequest): Promise<void> {
    const { status, json } = await this.#ask("POST", `/name/${encodeURIComponent(name)}`, JSON.stringify(request));
    if (status >= 200 && status < 300) {
      if (json?.success !== false) return;
      throw new NameServerError("taken", "the name is taken, or the account has one");
    }
    if (status === 400 || status === 401) throw new NameServerError("refused", `it does not accept this (${status})`);
    if (status === 429 || status < 400 || status >= 500) throw new NameServerError("unavailable", `status ${status}`);
    throw new NameServerError("taken", "the name is taken, or the account has one");
  }

  /** Ends all that is under way. */
  stop(): void {
    this.#stopped.abort();
  }

  async #ask(method: string, path: string, body?: string): Promise<Answer> {
    try {
      return await this.#places.run(() => this.#fetch(method, path, body));
    } catch (error) {
      if (error instanceof NameServerError) throw error;
      if (error instanceof LimitError) throw new NameServerError("unavailable", "too many questions", { cause: error });
      throw new NameServerError("unavailable", messageOf(error), { cause: error });
    }
  }

  async #fetch(method: string, path: string, body?: string): Promise<Answer> {
    const late = new AbortController();
    const cancel = this.clock.after(NAME_SERVER_TIMEOUT, () => late.abort(new Error("no answer in time")));
    try {
      const response = await fetch(this.server + path, {
        method,
        headers: { accept: "*/*", "content-type": "application/json" },
        body: body === undefined ? null : utf8(body),
        redirect: "manual", // a name server does not send elsewhere; and nobody shall be sent to the console by it
        signal: AbortSignal.any([late.signal, this.#stopped.signal]),
      });
      return { status: response.status, json: parse(await bounded(response)) };
    } finally {
      cancel();
    }
  }
}

async function bounded({ body }: Response): Promise<Uint8Array> {
  const bytes = new Uint8Array(MAX_NAME_ANSWER);
  let length = 0;
  for await (const chunk of body ?? []) {
    if (length + chunk.length > bytes.length) throw new NameServerError("not valid", "an answer too long");
    bytes.set(chunk, length);
    length += chunk.length;
  }
  return bytes.subarray(0, length);
}

function parse(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const json: unknown = JSON.parse(strictText(bytes) ?? "");
    return typeof json === "object" && json !== null ? { ...json } : null;
  } catch {
    return null;
  }
}
