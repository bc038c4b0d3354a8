/** Certificate chains of other devices: kept for ever, looked up at H(long id) and nowhere else, as today's daemon does (account.md 1.3). */

import { systemClock } from "../../../core/base/clock.ts";
import { longIdKey, readCertificates } from "../../../core/dht/certificate_value.ts";
import type { Dht } from "../../../core/dht/dht.ts";
import { Certificate, chainToPem } from "../../../core/identity/certificate.ts";
import { checkChain, type Peer } from "../../../core/identity/chain.ts";
import type { DeviceId } from "../../../core/identity/ids.ts";
import type { State } from "./state.ts";

const LOOKUP_TIMEOUT = 10_000; // ms

export class Chains {
  constructor(private readonly dht: Pick<Dht, "get">, private readonly state: State) {}

  /** The chain of a device, leaf first, from memory or the DHT. */
  async find(device: DeviceId): Promise<Certificate[] | null> {
    const pem = this.state.chains[device];
    if (pem) return Certificate.listFromPem(pem);
    const found = Promise.withResolvers<Certificate[] | null>();
    this.dht.get(longIdKey(device), {
      timeout: LOOKUP_TIMEOUT,
      onValue: (value) => {
        const chain = readCertificates(value);
        if (chain && this.#isGood(chain, device)) found.resolve(chain);
      },
    }).finally(() => found.resolve(null));
    return await found.promise;
  }

  /** Who a device is, if its chain can be had. */
  async peer(device: DeviceId): Promise<Peer | null> {
    const chain = await this.find(device);
    return chain && checkChain(chain, { now: systemClock.now(), device });
  }

  /** Keeps what TLS has shown. */
  keep({ device, chain }: Peer): void {
    if (this.state.chains[device]) return;
    this.state.chains[device] = chainToPem(chain);
    this.state.save();
  }

  #isGood(chain: Certificate[], device: DeviceId): boolean {
    try {
      this.keep(checkChain(chain, { now: systemClock.now(), device }));
      return true;
    } catch {
      return false; // anybody may publish anything there
    }
  }
}
