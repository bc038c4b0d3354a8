/** What people are called, in the words of the HTTP API: profiles, the name server that is asked, and the own one. */

import { loadArchive, StorageError } from "./identity/storage.ts";
import { ArchiveError } from "./identity/archive.ts";
import { NameServerError } from "./account/name_client.ts";
import { NameServer } from "./account/name_server.ts";
import { Names } from "./account/names.ts";
import { base64, utf8 } from "./base/bytes.ts";
import type { Clock } from "./base/clock.ts";
import type { Config } from "./config.ts";
import type { AccountId } from "./identity/ids.ts";
import { KeyError } from "./identity/keys.ts";
import { NameError } from "./identity/names.ts";
import {
  type Doer,
  type GivenNameInfo,
  type ListPage,
  type NameInfo,
  type NameServerApi,
  type NamesQuery,
  NodeError,
} from "./node_api.ts";
import { identityPath } from "./store/places.ts";
import type { Store } from "./store/store.ts";

/** What an account is called. */
export interface Called {
  /** by its profile, else its registered name; "" = unknown */
  name: string;
  /** on the name server; "" = none, or not known yet */
  registeredName: string;
}

/** Tells what an account is called, as far as it is known. */
export type Calling = (account: AccountId) => Called;

/** All that a node does with names. */
export class NodeNames {
  /** null: the settings name no name server */
  #names: Names | null;
  readonly #tellers: ((called: { jamiId: AccountId } & Called) => void)[] = [];

  /** @param self the node's own account */
  constructor(
    private readonly config: Config,
    private readonly self: AccountId,
    private readonly store: Store,
    private readonly clock: Clock,
  ) {
    this.#names = this.#asking();
  }

  #asking(): Names | null {
    const { config: { nameServer }, store, clock } = this;
    if (nameServer === "") return null;
    const names = new Names(nameServer, store.nameAnswers, clock);
    names.on("learnt", ({ account }) => {
      for (const tell of this.#tellers) tell({ jamiId: account, ...this.called(account) });
    });
    return names;
  }

  /** The settings name another server. */
  async serverChanged(): Promise<void> {
    const before = this.#names;
    this.#names = this.#asking();
    await before?.stop();
  }

  readonly called: Calling = (account) => {
    const registeredName = this.#names?.known(account) ?? "";
    const profileName = account === this.self ? this.config.name : this.store.profiles.name(account);
    return { name: profileName || registeredName, registeredName };
  };

  /** As {@link called}, looking each account up once: for lists in which the same people come again and again. */
  calledInList(): Calling {
    const seen = new Map<AccountId, Called>();
    return (account) => {
      const called = seen.get(account) ?? this.called(account);
      seen.set(account, called);
      return called;
    };
  }

  /** Calls `tell` when an account's name was learnt from the name server. */
  onLearnt(tell: (called: { jamiId: AccountId } & Called) => void): void {
    this.#tellers.push(tell);
  }

  async lookUpName(name: string): Promise<NameInfo> {
    const jamiId = await refusing(() => this.#server().accountOf(name));
    if (!jamiId) throw new NodeError("not found", "nobody has this name");
    return { jamiId, registeredName: name.toLowerCase() };
  }

  async lookUpAddress(jamiId: AccountId): Promise<NameInfo> {
    const registeredName = await refusing(() => this.#server().nameOf(jamiId));
    if (!registeredName) throw new NodeError("not found", "the account has no name");
    return { jamiId, registeredName };
  }

  async registerName(name: string, password: string, by: Doer): Promise<NameInfo> {
    return await refusing(async () => {
      const names = this.#server();
      const archive = await loadArchive(identityPath(this.config.data), password);
      if (archive.accountKey.publicKey.id !== this.self) {
        throw new NodeError("conflict", "the archive is another account's");
      }
      const registeredName = await names.register(name, archive);
      this.store.audit.append({
        ...by,
        action: "name.register",
        target: registeredName,
        detail: this.config.nameServer,
      });
      return { jamiId: this.self, registeredName };
    });
  }

  givenNames({ limit, after }: NamesQuery): ListPage<GivenNameInfo> {
    const page = this.store.registeredNames.page(limit + 1, after);
    const items = page.slice(0, limit).map(({ name, account, registered }) => ({
      jamiId: account,
      registeredName: name,
      registered: Math.floor(registered / 1000),
    }));
    return { items, next: page.length > limit ? page[limit - 1].name : null };
  }

  takeName(name: string, by: Doer): void {
    const given = this.store.registeredNames.byName(name.toLowerCase());
    if (!given) throw new NodeError("not found", "no such name was given out");
    this.store.transaction(() => {
      this.store.registeredNames.delete(given.name);
      this.store.audit.append({ ...by, action: "name.delete", target: given.name, detail: given.account });
    });
  }

  /** The own name server, whether anybody can reach it or not. */
  nameServer(): NameServerApi {
    const server = new NameServer(this.store.registeredNames, this.clock);
    return {
      record(name) {
        const given = server.byName(name);
        if (!given) return null;
        const { account, publicKey, signature } = given;
        return { name: given.name, addr: account, publickey: base64(utf8(publicKey)), signature };
      },
      nameOf: (jamiId) => server.byAccount(jamiId)?.name ?? null,
      register: (name, body) => server.register(name, body),
    };
  }

  async stop(): Promise<void> {
    await this.#names?.stop();
  }

  #server(): Names {
    if (!this.#names) throw new NodeError("conflict", "no name server is set (--name-server)");
    return this.#names;
  }
}

/** Runs `work`; what the rooms refuse becomes an answer of the API. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NameServerError) {
      const refused = error.fault === "taken" || error.fault === "refused";
      throw new NodeError(refused ? "conflict" : "unavailable", error.message, { cause: error });
    }
    if (error instanceof NameError) throw new NodeError("bad request", error.message, { cause: error });
    if (error instanceof ArchiveError) {
      const password = error.reason === "wrong password" || error.reason === "password needed";
      throw new NodeError(password ? "forbidden" : "conflict", `the account's archive: ${error.reason}`, {
        cause: error,
      });
    }
    if (error instanceof StorageError) {
      throw new NodeError("conflict", "this device has no archive of the account", { cause: error });
    }
    if (error instanceof KeyError) {
      throw new NodeError("conflict", "the archive's Ethereum key is unusable", { cause: error });
    }
    throw error;
  }
}
