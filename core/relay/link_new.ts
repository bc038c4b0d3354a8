/**
 * Becomes a device of an account that has others: the part of the new device (account.md 9.2, NEW). It shows an address, waits for a device of the account
 * to connect, and is given the account's archive. All with an identity that is thrown away afterwards.
 */

import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { KituoError, messageOf, ProtocolError, TimeoutError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { certificateKeys, certificateValue, readCertificates } from "../dht/certificate_value.ts";
import type { Dht } from "../dht/dht.ts";
import { type Archive, parseArchive } from "../identity/archive.ts";
import type { Certificate } from "../identity/certificate.ts";
import { checkChain } from "../identity/chain.ts";
import { createIdentity, type Identity } from "../identity/identity.ts";
import type { AccountId } from "../identity/ids.ts";
import type { PublicKey } from "../identity/keys.ts";
import { formatLinkUri, linkCode } from "../identity/link_uri.ts";
import { parseChannelName } from "../messaging/channel_name.ts";
import { LINK_MAX_ARCHIVE } from "../messaging/constants.ts";
import { LinkChannel, LinkEnded, LinkStopped } from "../messaging/link_channel.ts";
import type { Channel } from "../transport/channel.ts";
import { ConnectionManager } from "../transport/connection_manager.ts";
import { LINK_CODE_TRIES, LINK_PATIENCE_MS, LINK_REMIND_MS } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

/** What a person is told meanwhile. */
export type NewDeviceStage =
  | { stage: "keys" }
  /** the DHT is not connected: nobody can find this device */
  | { stage: "network" }
  /** the address to give to a device of the account */
  | { stage: "waiting"; uri: string }
  /** a device of this account is connected */
  | { stage: "connected"; account: AccountId }
  | { stage: "receiving" };

/** The device was not linked; the message says why, to the person at the terminal. */
export class NotLinked extends KituoError {}

export interface LinkNewOptions {
  dht: Pick<Dht, "get" | "put" | "keep" | "listen" | "status" | "on">;
  clock: Clock;
  random: Random;
  /** TCP port for the connection; 0 = any. */
  peerPort: number;
  addresses(): string[];
  publicAddresses(): string[];
  /** The account's password, when it has one; `null` when there is none (or no other one) to give. @param isWrong the one before was */
  password(isWrong: boolean): Promise<string | null>;
  onStage(stage: NewDeviceStage): void;
}

/**
 * Waits to be linked.
 * @returns the account's archive, and the password that protects it
 * @throws {NotLinked} after five minutes, and when it fails
 */
export async function linkAsNew(options: LinkNewOptions): Promise<{ archive: Archive; password: string }> {
  options.onStage({ stage: "keys" });
  const { identity } = await createIdentity({ now: options.clock.now() });
  return await new NewDevice(options, identity).run();
}

/** As `linkAsNew`, with the identity to be thrown away. */
export class NewDevice {
  readonly #code: string;
  readonly #came = Promise.withResolvers<Channel>();
  #isTaken = false;
  #wrong = 0;

  constructor(private readonly options: LinkNewOptions, private readonly identity: Identity) {
    this.#code = linkCode(options.random.float());
    this.#came.promise.catch(() => {}); // told to whoever waits for it
  }

  async run(): Promise<{ archive: Archive; password: string }> {
    const { clock, dht, onStage } = this.options;
    const published = certificateKeys(this.identity.key.publicKey)
      .map((key) => dht.keep(key, certificateValue(this.identity.chainPem)));
    const connections = this.#connections();
    connections.start();
    const stopReminding = this.#watchNetwork();
    const tooLate = new TimeoutError("linking", LINK_PATIENCE_MS);
    const { promise: late, reject } = Promise.withResolvers<never>();
    late.catch(() => {});
    const cancel = clock.after(LINK_PATIENCE_MS, () => reject(tooLate));
    let channel: LinkChannel | undefined;
    try {
      onStage({ stage: "waiting", uri: formatLinkUri({ device: this.identity.device, code: this.#code }) });
      channel = new LinkChannel(await Promise.race([this.#came.promise, late]), clock, LINK_MAX_ARCHIVE);
      return await Promise.race([this.#talk(channel), late]);
    } catch (error) {
      if (error === tooLate) await channel?.send({ stateMsg: "TIMEOUT" }).catch(() => {});
      throw this.#explained(error, error === tooLate);
    } finally {
      cancel();
      stopReminding();
      published.forEach((put) => put.stop());
      await connections.stop();
    }
  }

  #connections(): ConnectionManager {
    const { dht, clock, random, peerPort, addresses, publicAddresses } = this.options;
    const treated = new Set<bigint>();
    return new ConnectionManager({
      identity: this.identity,
      dht,
      clock,
      random,
      port: peerPort,
      addresses,
      publicAddresses,
      certificates: { byKey: (key) => this.#chainOf(key) },
      seen: { has: (id) => treated.has(id), add: (id) => void treated.add(id) },
      allow: () => true, // who it is does not matter: it knows the code, or it does not
      accept: (_, name) => this.#accept(name),
      revocations: () => [],
    });
  }

  /** One channel, with the right code; who guesses is soon told no more. */
  #accept(name: string): ((channel: Channel) => void) | null {
    const wanted = parseChannelName(name);
    if (wanted.kind !== "link-device" || this.#isTaken || this.#wrong >= LINK_CODE_TRIES) return null;
    if (wanted.code !== this.#code) {
      log.warn("a device tried to link with a wrong code");
      if (++this.#wrong >= LINK_CODE_TRIES) {
        this.#came.reject(new NotLinked("somebody guesses at the code: start again, with a new address"));
      }
      return null;
    }
    this.#isTaken = true;
    return (channel) => this.#came.resolve(channel);
  }

  async #chainOf(key: PublicKey): Promise<Certificate[] | null> {
    const { dht, clock } = this.options;
    const { promise, resolve } = Promise.withResolvers<Certificate[] | null>();
    const gets = certificateKeys(key).map((at) =>
      dht.get(at, {
        onValue: (value) => {
          const chain = readCertificates(value);
          if (chain?.[0].publicKey.longId !== key.longId) return;
          try {
            checkChain(chain, { now: clock.now() });
            resolve(chain);
          } catch (error) {
            log.debug("a bad chain on the DHT: {error}", { error: messageOf(error) });
          }
        },
      })
    );
    Promise.allSettled(gets).then(() => resolve(null));
    return await promise;
  }

  /** Says that there is no network when there is none, at once and again and again. */
  #watchNetwork(): () => void {
    const { dht, clock, onStage } = this.options;
    let cancel = () => {};
    const look = () => {
      if (dht.status !== "connected" && !this.#isTaken) onStage({ stage: "network" });
      cancel = clock.after(LINK_REMIND_MS, look);
    };
    look();
    return () => cancel();
  }

  async #talk(channel: LinkChannel): Promise<{ archive: Archive; password: string }> {
    const { onStage, password } = this.options;
    const { account } = channel.channel.peer;
    onStage({ stage: "connected", account });
    await channel.send({});
    const scheme = (await channel.receive(LINK_PATIENCE_MS)).get("authScheme");
    if (scheme !== "" && scheme !== "password") throw new ProtocolError("link", "an unknown scheme of authentication");
    for (let isWrong = false;; isWrong = true) {
      const typed = scheme === "password" ? await password(isWrong) : "";
      if (typed === null) throw new NotLinked(isWrong ? "the password is wrong" : "the account has a password");
      await channel.send({ password: typed });
      const answer = await channel.receive(LINK_PATIENCE_MS);
      const json = answer.get("accData");
      if (json !== undefined) {
        onStage({ stage: "receiving" });
        const archive = parseArchive(json);
        if (archive.accountKey.publicKey.id !== account) {
          throw new ProtocolError("link", "the archive of another account");
        }
        return { archive, password: typed };
      }
      if (answer.get("canRetry") !== "true") throw new NotLinked("the password was wrong too often");
    }
  }

  #explained(error: unknown, isLate: boolean): unknown {
    if (error instanceof NotLinked || !(error instanceof KituoError)) return error;
    const where = this.options.dht.status === "connected" ? "" : " (the DHT cannot be reached: see --bootstrap)";
    if (isLate) return new NotLinked(`no device of the account has linked this one within 5 minutes${where}`);
    if (error instanceof LinkStopped || error instanceof LinkEnded) {
      return new NotLinked(`the other device has ended it: ${error.message}`, { cause: error });
    }
    return new NotLinked(`the other device does not speak as it should: ${error.message}`, { cause: error });
  }
}
