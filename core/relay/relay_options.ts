/** What the relay is built from. */

import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Dht } from "../dht/dht.ts";
import type { Identity } from "../identity/identity.ts";
import type { AccountId, DeviceId } from "../identity/ids.ts";
import type { Store } from "../store/store.ts";
import type { FileLimits } from "./file_policy.ts";

export interface RelayOptions {
  identity: Identity;
  store: Store;
  dht: Pick<Dht, "get" | "put" | "keep" | "listen">;
  clock: Clock;
  random: Random;
  /** Folder of the repositories. */
  conversationsDir: string;
  /** Folder of the histories that were refused. */
  refusedDir: string;
  /** Folder of the files that members send, and how much of them is kept. */
  filesDir: string;
  fileLimits: FileLimits;
  /** TCP port for peers; 0 = any. */
  peerPort: number;
  addresses(): string[];
  publicAddresses(): string[];
  /** Is this the IP address of a machine in one of our own networks? */
  isNear?(address: string): boolean;
  displayName(): string;
  /** The profile that members are given. */
  vcard: Bytes;
  /** Is this account accepted without asking? */
  welcome(account: AccountId): boolean;
  /** Are strangers let in at all, to ask? */
  openToAll(): boolean;
  /** Ask every member of a group to become a contact: today's daemons answer only to contacts (connection.md 8.4). */
  offerContact: boolean;
  /** Keep what the modes of groups promise: see `Moderation`. */
  enforceModes: boolean;
  /** May this device of a stranger be connected now: one that is being linked? */
  isGuest?(device: DeviceId): boolean;
}
