/** What the console asks about the devices of the node's own account: which there are, adding one, revoking one, the archive. */

import type { Bytes } from "./base/bytes.ts";
import type { LinkFailure } from "./relay/link_source.ts";
import type { Doer } from "./node_api.ts";

export type { LinkFailure } from "./relay/link_source.ts";

/** A device of the own account. */
export interface OwnDeviceInfo {
  deviceId: string;
  /** what it calls itself; never empty */
  name: string;
  /** seconds; null = never since this node knows it */
  lastSeen: number | null;
  online: boolean;
  /** is it this node? */
  thisOne: boolean;
  revoked: boolean;
}

/** How far the linking of a new device is. */
export interface LinkInfo {
  stage: "idle" | "connecting" | "confirm" | "password" | "sending" | "done" | "failed";
  /** from where the new device is connected; "" = it is not yet */
  address: string;
  /** passwords that may still be tried on the new device */
  tries: number;
  /** why it failed; null = it has not */
  failure: LinkFailure | null;
}

/** All devices, and whether their account's archive asks for a password. */
export interface OwnDevicesInfo {
  devices: OwnDeviceInfo[];
  /** the archive has a password: it is needed to revoke and to export */
  hasPassword: boolean;
}

/** The facet of the node. */
export interface DevicesApi {
  list(): Promise<OwnDevicesInfo>;
  link(): LinkInfo;
  /** Begins to link the device that shows this address. @throws {NodeError} "bad request", "conflict" when another is being linked */
  startLink(uri: string, doer: Doer): LinkInfo;
  /** It is the right device. @throws {NodeError} "conflict" */
  confirmLink(doer: Doer): LinkInfo;
  /** @throws {NodeError} "conflict" when none is being linked */
  cancelLink(doer: Doer): LinkInfo;
  /**
   * Revokes a device for good; this one too, which ends its part.
   * @param password of the account's archive
   * @throws {NodeError} "not found", "forbidden" for a wrong password, "conflict" when it is revoked already
   */
  revoke(deviceId: string, password: string, doer: Doer): Promise<OwnDevicesInfo>;
  /**
   * The account's archive with all contacts and conversations of now, for other Jami apps.
   * @param password of the account's archive
   * @param newPassword that protects the exported one; "" = nothing does
   * @throws {NodeError} "forbidden" for a wrong password
   */
  export(password: string, newPassword: string, doer: Doer): Promise<Bytes>;
}
