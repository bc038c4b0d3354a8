/** Two devices of an account, in memory. */

import { type Bytes, utf8 } from "../../../core/base/bytes.ts";
import { type DevicesApi, type LinkInfo, NodeError, type OwnDeviceInfo } from "../../../core/node_api.ts";

/** The device that is not the node itself. */
export const OTHER_DEVICE = "c".repeat(64);

/** What protects the archive. */
export const ARCHIVE_PASSWORD = "nywila";

export class FakeDevices implements DevicesApi {
  readonly all: OwnDeviceInfo[] = ["d".repeat(64), OTHER_DEVICE].map((deviceId, n) => ({
    deviceId,
    name: ["Kituo", "Phone"][n],
    lastSeen: 1_790_000_000,
    online: n === 0,
    thisOne: n === 0,
    revoked: false,
  }));
  state: LinkInfo = { stage: "idle", address: "", tries: 0, failure: null };

  list() {
    return Promise.resolve({ devices: this.all, hasPassword: true });
  }

  link(): LinkInfo {
    return this.state;
  }

  startLink(uri: string): LinkInfo {
    if (!uri.startsWith("jami-auth://")) throw new NodeError("bad request", "This is no address.");
    if (this.state.stage !== "idle") throw new NodeError("conflict", "Another device is being linked.");
    return this.state = { ...this.state, stage: "confirm", address: "192.0.2.7:4000" };
  }

  confirmLink(): LinkInfo {
    if (this.state.stage !== "confirm") throw new NodeError("conflict", "No device waits to be confirmed.");
    return this.state = { ...this.state, stage: "password", tries: 3 };
  }

  cancelLink(): LinkInfo {
    if (this.state.stage === "idle") throw new NodeError("conflict", "No device is being linked.");
    return this.state = { stage: "failed", address: "", tries: 0, failure: "canceled" };
  }

  revoke(deviceId: string, password: string) {
    const device = this.all.find((one) => one.deviceId === deviceId);
    if (!device) throw new NodeError("not found", "This account has no such device.");
    if (password !== ARCHIVE_PASSWORD) throw new NodeError("forbidden", "The password is another one.");
    if (device.revoked) throw new NodeError("conflict", "The device is revoked already.");
    device.revoked = true;
    return this.list();
  }

  export(password: string, newPassword: string): Promise<Bytes> {
    if (password !== ARCHIVE_PASSWORD) throw new NodeError("forbidden", "The password is another one.");
    return Promise.resolve(utf8(`archive ${newPassword}`));
  }
}
