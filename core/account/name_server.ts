/** The node's own name server: who may register what (account.md 10.1). First come, first served; a name is for ever, but for the admin. */

import type { Clock } from "../base/clock.ts";
import { LimitError } from "../base/errors.ts";
import { Semaphore } from "../base/limits.ts";
import { checkRegistration, isName, NameError, type Registration } from "../identity/names.ts";
import type { RegisteredName, RegisteredNames } from "../store/names.ts";
import { MAX_REGISTERED_NAMES, NAME_CHECKS, NAME_CHECKS_QUEUE } from "./constants.ts";

/** What became of a registration. */
export type RegistrationResult =
  | "registered"
  /** it cannot be a name */
  | "not a name"
  /** the body lacks something */
  | "incomplete"
  /** not signed by the account */
  | "not signed"
  /** the name is another account's, or the account has another name */
  | "taken"
  /** too many are being checked, or there is no room for names */
  | "busy";

/** Gives out names. */
export class NameServer {
  readonly #checks = new Semaphore("registrations of names", NAME_CHECKS, NAME_CHECKS_QUEUE);

  constructor(
    private readonly names: RegisteredNames,
    private readonly clock: Clock,
    private readonly most = MAX_REGISTERED_NAMES,
  ) {}

  byName(name: string): RegisteredName | undefined {
    return this.names.byName(name.toLowerCase());
  }

  byAccount(account: string): RegisteredName | undefined {
    return this.names.byAccount(account.toLowerCase());
  }

  /** Registers a name; done again by its owner it stays as it is. @param body the parsed JSON of the request */
  async register(name: string, body: unknown): Promise<RegistrationResult> {
    if (!isName(name)) return "not a name";
    try {
      const registration = await this.#checks.run(() => checkRegistration(name, body));
      return registration ? this.#add(registration) : "incomplete";
    } catch (error) {
      if (error instanceof NameError) return "not signed";
      if (error instanceof LimitError) return "busy";
      throw error;
    }
  }

  #add({ name, account, owner, key, signature }: Registration): RegistrationResult {
    if (this.names.byName(name)?.account === account) return "registered";
    if (this.names.byName(name) || this.names.byAccount(account)) return "taken";
    if (this.names.count() >= this.most) return "busy";
    const added = this.names.add({
      name,
      account,
      owner,
      publicKey: key.toPem(),
      signature,
      registered: this.clock.now(),
    });
    return added ? "registered" : "taken";
  }
}
