/** Adds a device to the node's account: the part of the device that has it (account.md 9.2, SOURCE). One at a time. */

import { getLogger } from "@logtape/logtape";
import { type Clock, sleep } from "../base/clock.ts";
import { KituoError, messageOf, ProtocolError, TimeoutError } from "../base/errors.ts";
import { Emitter } from "../base/events.ts";
import { within } from "../base/limits.ts";
import { ArchiveError } from "../identity/archive.ts";
import type { Certificate } from "../identity/certificate.ts";
import type { DeviceId } from "../identity/ids.ts";
import { type LinkUri, parseLinkUri } from "../identity/link_uri.ts";
import type { PublicKey } from "../identity/keys.ts";
import { StorageError } from "../identity/storage.ts";
import { writeChannelName } from "../messaging/channel_name.ts";
import { LINK_MAX_PASSWORD } from "../messaging/constants.ts";
import { LinkChannel, LinkEnded, LinkStopped } from "../messaging/link_channel.ts";
import type { Connection } from "../transport/channel.ts";
import { LINK_CLOSE_MS, LINK_FIND_EVERY_MS, LINK_PASSWORD_TRIES, LINK_PATIENCE_MS } from "./constants.ts";

const log = getLogger(["kituo", "relay"]);

/** Why a device was not linked. */
export type LinkFailure =
  /** it was not found, or could not be reached */
  | "unreachable"
  /** it took too long, or was not confirmed in time */
  | "timeout"
  | "canceled"
  /** the password was wrong three times */
  | "password"
  /** it does not speak as it should */
  | "protocol"
  | "internal";

/** How far it has got. */
export type LinkStage =
  | { stage: "idle" }
  | { stage: "connecting" }
  /** the device is connected from `address`: is it the one that the admin has at hand? */
  | { stage: "confirm"; address: string }
  /** the person types the account's password on the new device, if it has one */
  | { stage: "password"; address: string; tries: number }
  | { stage: "sending"; address: string }
  | { stage: "done" }
  | { stage: "failed"; failure: LinkFailure };

/** What was asked for is refused. */
export class LinkError extends KituoError {
  constructor(readonly fault: "bad request" | "conflict", message: string) {
    super(message);
  }
}

export interface LinkSourceOptions {
  clock: Clock;
  find(device: DeviceId): Promise<Certificate[] | null>;
  connect(device: PublicKey): Promise<Connection>;
  /** Has the account's archive a password? */
  hasPassword(): Promise<boolean>;
  /** The archive's JSON text. @throws {ArchiveError} "wrong password" */
  archive(password: string): Promise<string>;
}

export class LinkSource extends Emitter<{ stage: LinkStage }> {
  #stage: LinkStage = { stage: "idle" };
  #device: DeviceId | null = null;
  #running: { cancel: AbortController; confirmed: PromiseWithResolvers<void> } | null = null;

  constructor(private readonly options: LinkSourceOptions) {
    super();
  }

  get stage(): LinkStage {
    return this.#stage;
  }

  /** Is this the device that is being linked? It may connect, although nobody knows its account. */
  isLinking(device: DeviceId): boolean {
    return this.#device === device;
  }

  /** Begins with the address that the new device shows. @throws {LinkError} when it is none, or another one is under way */
  start(uri: string): void {
    const target = parseLinkUri(uri);
    if (!target) {
      throw new LinkError("bad request", "That is not the address of a new device: jami-auth://…/…");
    }
    if (this.#running) throw new LinkError("conflict", "Another device is being linked");
    const running = { cancel: new AbortController(), confirmed: Promise.withResolvers<void>() };
    running.confirmed.promise.catch(() => {}); // whoever waits for it hears of it
    this.#running = running;
    this.#device = target.device;
    this.#go({ stage: "connecting" });
    this.#run(target, running).then(
      () => this.#go({ stage: "done" }),
      (error) => this.#failed(error, running.cancel.signal),
    ).finally(() => {
      this.#running = null;
      this.#device = null;
    });
  }

  /** The admin has seen from where the device is connected, and that it is the right one. @throws {LinkError} */
  confirm(): void {
    if (!this.#running || this.#stage.stage !== "confirm") {
      throw new LinkError("conflict", "No device waits to be confirmed");
    }
    this.#running.confirmed.resolve();
  }

  /** Ends it. @throws {LinkError} when there is nothing to end */
  cancel(): void {
    if (!this.#running) throw new LinkError("conflict", "No device is being linked");
    this.#running.cancel.abort(new LinkStopped("CANCELED"));
  }

  stop(): void {
    this.#running?.cancel.abort(new LinkStopped("CANCELED"));
  }

  async #run(
    target: LinkUri,
    { cancel, confirmed }: { cancel: AbortController; confirmed: PromiseWithResolvers<void> },
  ) {
    const { clock } = this.options;
    const { signal } = cancel;
    const stopClock = clock.after(
      LINK_PATIENCE_MS,
      () => cancel.abort(new TimeoutError("the linking", LINK_PATIENCE_MS)),
    );
    const stopped = new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    stopped.catch(() => {});
    let connection: Connection | undefined;
    let channel: LinkChannel | undefined;
    try {
      const reaching = this.#reach(target.device, signal);
      reaching.then((late) => signal.aborted ? late.close("not linked") : undefined, () => {}); // the race tells of a failure
      connection = await Promise.race([reaching, stopped]);
      const name = writeChannelName({ kind: "link-device", code: target.code });
      channel = new LinkChannel(await Promise.race([connection.open(name), stopped]), clock, LINK_MAX_PASSWORD);
      await Promise.race([this.#talk(channel, connection.remote, confirmed.promise), stopped]);
    } catch (error) {
      if (signal.aborted) {
        await channel?.send({ stateMsg: error instanceof TimeoutError ? "TIMEOUT" : "CANCELED" }).catch(() => {});
      }
      throw error;
    } finally {
      stopClock();
      channel?.close();
      // what was written before is still sent
      connection?.close("linked").catch((error) => log.debug("closing: {error}", { error: messageOf(error) }));
    }
  }

  /** It may have announced itself only now. */
  async #reach(device: DeviceId, signal: AbortSignal): Promise<Connection> {
    const { clock, find, connect } = this.options;
    for (;;) {
      const chain = await find(device);
      if (chain) return await connect(chain[0].publicKey);
      await sleep(clock, LINK_FIND_EVERY_MS, signal);
    }
  }

  async #talk(channel: LinkChannel, address: string, confirmed: Promise<void>): Promise<void> {
    await channel.receive(LINK_PATIENCE_MS); // message 1 says nothing
    this.#go({ stage: "confirm", address });
    await confirmed;
    const hasPassword = await this.options.hasPassword();
    await channel.send({ authScheme: hasPassword ? "password" : "" });
    this.#go({ stage: "password", address, tries: LINK_PASSWORD_TRIES });
    for (let left = LINK_PASSWORD_TRIES - 1;; left--) {
      const password = (await channel.receive(LINK_PATIENCE_MS)).get("password") ?? "";
      const accData = await this.#open(hasPassword ? password : "");
      if (accData !== null) {
        this.#go({ stage: "sending", address });
        await channel.send({ accData });
        // it has all of it when it ends the channel; one that does not will not mind
        const patience = within(this.options.clock, LINK_CLOSE_MS, "the end of the channel", channel.channel.closed);
        return void await patience.catch(() => {});
      }
      if (left === 0) {
        await channel.send({ canRetry: "false" });
        throw new WrongPassword("the password was wrong too often");
      }
      await channel.send({ passwordCorrect: "false", canRetry: "true" });
      this.#go({ stage: "password", address, tries: left });
    }
  }

  async #open(password: string): Promise<string | null> {
    try {
      return await this.options.archive(password);
    } catch (error) {
      const isPassword = error instanceof ArchiveError && /password/.test(error.reason);
      if (isPassword) return null;
      throw error;
    }
  }

  #failed(error: unknown, signal: AbortSignal): void {
    const reason: unknown = signal.aborted ? signal.reason : error;
    const failure = failureOf(reason, this.#stage);
    log.info("no device was linked: {failure}: {error}", { failure, error: messageOf(reason) });
    this.#go({ stage: "failed", failure });
  }

  #go(stage: LinkStage): void {
    this.#stage = stage;
    this.emit("stage", stage);
  }
}

class WrongPassword extends KituoError {}

function failureOf(error: unknown, { stage }: LinkStage): LinkFailure {
  if (error instanceof WrongPassword) return "password";
  if (error instanceof StorageError) return "internal";
  if (error instanceof LinkStopped) return error.why === "TIMEOUT" ? "timeout" : "canceled";
  if (error instanceof ProtocolError || error instanceof LinkEnded) return "protocol";
  if (stage === "connecting") return "unreachable";
  if (error instanceof TimeoutError) return "timeout";
  return error instanceof ArchiveError || !(error instanceof KituoError) ? "internal" : "protocol";
}
