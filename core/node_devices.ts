/** The devices of the node's own account: seen, linked, revoked; and the account's archive (account.md 5, 9). */

import {
  type Archive,
  ArchiveError,
  formatArchive,
  openContainer,
  readArchive,
  writeArchive,
} from "./identity/archive.ts";
import { archiveOfSync } from "./messaging/archive_records.ts";
import type { Bytes } from "./base/bytes.ts";
import type { Clock } from "./base/clock.ts";
import { Semaphore } from "./base/limits.ts";
import { Certificate } from "./identity/certificate.ts";
import type { Identity } from "./identity/identity.ts";
import type { DeviceId } from "./identity/ids.ts";
import { revoke } from "./identity/revoke.ts";
import { archiveFile, saveArchive, StorageError } from "./identity/storage.ts";
import {
  type DevicesApi,
  type Doer,
  type LinkInfo,
  NodeError,
  type OwnDeviceInfo,
  type OwnDevicesInfo,
} from "./node_api.ts";
import { LinkError, LinkSource } from "./relay/link_source.ts";
import type { Relay } from "./relay/relay.ts";
import type { Store } from "./store/store.ts";

/** Passwords of the archive that are tried at one time, and those that wait: each costs a second and 64 MiB. */
const OPENINGS = 1;
const OPENINGS_QUEUE = 8;

export interface NodeDevicesOptions {
  /** The folder with the archive. */
  dir: string;
  identity: Identity;
  store: Store;
  relay: Relay;
  clock: Clock;
  /** How this device is called. */
  name(): string;
}

export class NodeDevices implements DevicesApi {
  readonly linking: LinkSource;
  #openings = new Semaphore("archive", OPENINGS, OPENINGS_QUEUE);

  constructor(private readonly options: NodeDevicesOptions) {
    const { relay, clock } = options;
    this.linking = new LinkSource({
      clock,
      find: (device) => relay.account.certificates.findByDevice(device),
      connect: (device) => relay.connections.connect(device),
      hasPassword: () => this.#hasPassword(),
      archive: async (password) => formatArchive(this.#now(await this.#read(password))),
    });
  }

  async list(): Promise<OwnDevicesInfo> {
    const { identity, store, relay } = this.options;
    const ids = new Set([
      identity.device,
      ...store.ownDevices.all().map(({ device }) => device),
      ...store.certificates.byAccount(identity.account).map(({ device }) => device),
      ...relay.account.presence.devices(identity.account).map(({ longId }) => longId),
    ]);
    const devices = [...ids].map((device) => this.#info(device));
    const rank = ({ thisOne, revoked }: OwnDeviceInfo) => thisOne ? 0 : revoked ? 2 : 1;
    devices.sort((a, b) => rank(a) - rank(b) || (b.lastSeen ?? 0) - (a.lastSeen ?? 0));
    return { devices, hasPassword: await this.#hasPassword() };
  }

  #info(device: DeviceId): OwnDeviceInfo {
    const { identity, store, relay, clock, name } = this.options;
    const thisOne = device === identity.device;
    const known = store.ownDevices.get(device);
    const seen = Math.max(known?.seen ?? 0, store.certificates.byDevice(device)?.seen ?? 0);
    const isConnected = relay.connections.connections(device).length > 0;
    const revoked = this.#isRevoked(device);
    const online = !revoked && (thisOne || isConnected || relay.account.presence.isPresent(identity.account, device));
    return {
      deviceId: device,
      name: (thisOne ? name() : known?.name) || `Device ${device.slice(0, 8)}`,
      lastSeen: online ? Math.floor(clock.now() / 1000) : seen === 0 ? null : Math.floor(seen / 1000),
      online,
      thisOne,
      revoked,
    };
  }

  #isRevoked(device: DeviceId): boolean {
    const { relay, identity } = this.options;
    return device === identity.device ? relay.revoked : relay.account.certificates.isRevoked(identity.account, device);
  }

  #certificate(device: DeviceId): Certificate | null {
    const { relay, identity } = this.options;
    const chain = device === identity.device ? identity.chain : relay.account.certificates.known(device);
    return chain?.[1]?.publicKey.id === identity.account ? chain[0] : null;
  }

  link(): LinkInfo {
    const { stage } = this.linking;
    return {
      stage: stage.stage,
      address: "address" in stage ? stage.address : "",
      tries: "tries" in stage ? stage.tries : 0,
      failure: "failure" in stage ? stage.failure : null,
    };
  }

  startLink(uri: string, doer: Doer): LinkInfo {
    return this.#linking("device.link", doer, () => this.linking.start(uri));
  }

  confirmLink(doer: Doer): LinkInfo {
    return this.#linking("device.link.confirm", doer, () => this.linking.confirm());
  }

  cancelLink(doer: Doer): LinkInfo {
    return this.#linking("device.link.cancel", doer, () => this.linking.cancel());
  }

  #linking(action: string, doer: Doer, act: () => void): LinkInfo {
    const { address } = this.link();
    try {
      act();
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      throw new NodeError(error.fault, `${error.message}.`, { cause: error });
    }
    this.options.store.audit.append({ ...doer, action, target: "", detail: address });
    return this.link();
  }

  async revoke(device: string, password: string, doer: Doer): Promise<OwnDevicesInfo> {
    const { dir, store, identity, relay, clock } = this.options;
    const certificate = this.#certificate(device);
    if (!certificate) throw new NodeError("not found", "This account has no such device.");
    if (this.#isRevoked(device)) throw new NodeError("conflict", "The device is revoked already.");
    const archive = await this.#opened(password);
    const { certificates } = relay.account;
    const before = [...archive.revocations ? [archive.revocations] : [], ...certificates.revocations(identity.account)];
    const revocations = await revoke(archive, certificate, before, clock.now());
    await saveArchive(dir, { ...archive, revocations }, password);
    store.audit.append({ ...doer, action: "device.revoke", target: device, detail: "" });
    certificates.learnRevocations(identity.account, revocations.der); // all else follows from it
    return await this.list();
  }

  async export(password: string, newPassword: string, doer: Doer): Promise<Bytes> {
    const file = await writeArchive(this.#now(await this.#opened(password)), newPassword);
    const detail = newPassword === "" ? "without a password" : "with a password";
    this.options.store.audit.append({
      ...doer,
      action: "account.export",
      target: this.options.identity.account,
      detail,
    });
    return file;
  }

  /** The archive as it would be written now: with what this device knows, and all that were revoked. */
  #now(archive: Archive): Archive {
    const { relay, identity } = this.options;
    const lists = [
      ...archive.revocations ? [archive.revocations] : [],
      ...relay.account.certificates.revocations(identity.account),
    ];
    const revocations = lists.toSorted((a, b) => Number((b.number ?? 0n) - (a.number ?? 0n)))[0] ?? null;
    const settings = {
      ...archive.settings,
      "Account.displayName": archive.settings["Account.displayName"] || this.options.name(),
    };
    return { ...archive, ...archiveOfSync(relay.ownDevices.state.whole()), revocations, settings };
  }

  async #opened(password: string): Promise<Archive> {
    try {
      return await this.#read(password);
    } catch (error) {
      if (isAway(error)) throw new NodeError("conflict", "The account's archive is not in the data folder.");
      if (!(error instanceof ArchiveError)) throw error;
      const isPassword = error.reason === "wrong password" || error.reason === "password needed";
      if (!isPassword) throw error;
      throw new NodeError("forbidden", "The password of the account's archive is another one.", { cause: error });
    }
  }

  #read(password: string): Promise<Archive> {
    return this.#openings.run(async () => await readArchive(await archiveFile(this.options.dir), password));
  }

  async #hasPassword(): Promise<boolean> {
    try {
      await openContainer(await archiveFile(this.options.dir));
      return false;
    } catch (error) {
      if (error instanceof ArchiveError && error.reason === "password needed") return true;
      if (isAway(error)) return false; // it may be kept elsewhere: nothing needs it but these pages
      throw error;
    }
  }
}

/** Has the archive been taken out of the data folder? */
function isAway(error: unknown): boolean {
  return error instanceof StorageError && error.reason === "missing";
}
