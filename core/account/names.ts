/** The names of accounts on the name server: asked for once, remembered, and looked up in the background for whoever is shown. */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { KeyedMutex } from "../base/limits.ts";
import type { Archive } from "../identity/archive.ts";
import type { AccountId } from "../identity/ids.ts";
import { isNameToLookUp, NameError, registerRequest } from "../identity/names.ts";
import type { NameAnswers } from "../store/names.ts";
import {
  FREE_NAME_KEPT_MS,
  MAX_WANTED_NAMES,
  NAME_KEPT_MS,
  NAME_SERVER_REST_MS,
  NAMELESS_KEPT_MS,
} from "./constants.ts";
import { NameServerClient, NameServerError } from "./name_client.ts";

const log = getLogger(["kituo", "account"]);

/** What happens to names. */
export type NamesEvents = {
  /** an account was found to have this name now; "" = none any more */
  learnt: { account: AccountId; name: string };
};

/** The names on one name server. */
export class Names extends Emitter<NamesEvents> {
  readonly #client: NameServerClient;
  readonly #turns = new KeyedMutex<string>();
  readonly #wanted = new Set<AccountId>();
  #working: Promise<void> | null = null;
  #restUntil = 0;
  #stopped = false;

  /** @param server URL without a slash at the end */
  constructor(private readonly server: string, private readonly answers: NameAnswers, private readonly clock: Clock) {
    super();
    this.#client = new NameServerClient(server, clock);
  }

  /**
   * Whose name it is.
   * @returns null: nobody's
   * @throws {NameServerError} @throws {NameError} when it cannot be a name
   */
  async accountOf(name: string): Promise<AccountId | null> {
    if (!isNameToLookUp(name)) throw new NameError("not a name");
    const asked = name.toLowerCase();
    return await this.#remembering(asked, FREE_NAME_KEPT_MS, () => this.#client.accountOf(asked)) || null;
  }

  /**
   * The name of an account, which has signed it if the server keeps signatures.
   * @returns null: it has none
   * @throws {NameServerError}
   */
  async nameOf(account: AccountId): Promise<string | null> {
    const name = await this.#remembering(account, NAMELESS_KEPT_MS, async () => {
      const told = await this.#client.nameOf(account);
      return told !== null && await this.accountOf(told) === account ? told : null;
    });
    return name || null;
  }

  /** The name of an account as far as it is known, "" = unknown or none. What is not known, or not lately, is asked for: event "learnt". */
  known(account: AccountId): string {
    const found = this.answers.get(this.server, account);
    if (!found || found.expires <= this.clock.now()) this.#want(account);
    return found?.answer ?? "";
  }

  /**
   * Registers a name for the account of an archive that holds its Ethereum key.
   * @returns the name in lower case
   * @throws {NameServerError} @throws {NameError} when it cannot be one, or the archive has no Ethereum key
   */
  async register(name: string, { accountKey, ethereumKey }: Archive): Promise<string> {
    if (!ethereumKey) throw new NameError("the account's archive has no Ethereum key");
    const request = await registerRequest(name, accountKey, ethereumKey);
    const registered = name.toLowerCase();
    await this.#client.register(registered, request);
    this.#remember(registered, request.addr, NAME_KEPT_MS);
    this.#remember(request.addr, registered, NAME_KEPT_MS);
    this.emit("learnt", { account: request.addr, name: registered });
    return registered;
  }

  /** Asks nothing more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wanted.clear();
    this.#client.stop();
    await this.#working;
  }

  /** The remembered answer, or what `ask` finds; "" = none. */
  #remembering(question: string, noneKept: number, ask: () => Promise<string | null>): Promise<string> {
    return this.#turns.run(question, async () => {
      const found = this.answers.get(this.server, question);
      if (found && found.expires > this.clock.now()) return found.answer;
      const answer = await ask() ?? "";
      if (!this.#stopped) this.#remember(question, answer, answer === "" ? noneKept : NAME_KEPT_MS);
      return answer;
    });
  }

  #remember(question: string, answer: string, kept: number): void {
    this.answers.put(this.server, question, { answer, expires: this.clock.now() + kept });
  }

  #want(account: AccountId): void {
    if (this.#stopped || this.clock.now() < this.#restUntil || this.#wanted.size >= MAX_WANTED_NAMES) return;
    this.#wanted.add(account);
    this.#working ??= this.#work().finally(() => this.#working = null);
  }

  /** One account after the other: nobody waits for these answers. */
  async #work(): Promise<void> {
    for (const account of this.#wanted) {
      const before = this.answers.get(this.server, account)?.answer ?? "";
      try {
        const name = await this.nameOf(account) ?? "";
        if (name !== before) this.emit("learnt", { account, name });
      } catch (error) {
        this.#failed(account, error);
      }
      this.#wanted.delete(account);
    }
  }

  /** A server that is away is left alone for a while; one that lies about an account is not asked for it so soon. */
  #failed(account: AccountId, error: unknown): void {
    if (this.#stopped) return;
    log.info("no name for {account}: {error}", { account, error: messageOf(error) });
    if (error instanceof NameServerError && error.fault === "not valid") {
      return this.#remember(account, "", NAMELESS_KEPT_MS);
    }
    this.#restUntil = this.clock.now() + NAME_SERVER_REST_MS;
    this.#wanted.clear();
  }
}
