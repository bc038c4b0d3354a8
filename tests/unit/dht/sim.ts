/** A network in memory and virtual time: datagrams with delay and loss between simulated hosts. */

import type { Bytes } from "../../../core/base/bytes.ts";
import { type Random, seededRandom } from "../../../core/base/random.ts";
import { type Address, addressText, parseAddress } from "../../../core/dht/address.ts";
import { Dht, type DhtOptions } from "../../../core/dht/dht.ts";
import { Scheduler } from "../../../core/dht/scheduler.ts";
import type { SocketFactory } from "../../../core/dht/socket.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

type Receive = (datagram: Uint8Array, from: Address) => void;

/** One simulated internet. */
export class SimNetwork {
  readonly clock = new VirtualClock();
  /** Share of datagrams that are lost. */
  loss = 0;
  sent = 0;
  readonly random: Random;
  #timers = new Scheduler(this.clock);
  #hosts = new Map<string, Receive>();
  #cut = new Set<string>();
  #count = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** Sockets of a host with this IPv4 address and, if given, this IPv6 address. */
  host(ip4: string, ip6?: string): SocketFactory {
    return (family, port, receive) => {
      const ip = family === 4 ? ip4 : ip6;
      const own = ip && parseAddress(ip, port || 4222);
      if (!own || this.#hosts.has(addressText(own))) return Promise.reject(new Error("cannot be bound"));
      this.#hosts.set(addressText(own), receive);
      return Promise.resolve({
        port: own.port,
        send: (datagram, to) => this.#send(datagram, own, to),
        close: () => Promise.resolve(void this.#hosts.delete(addressText(own))),
      });
    };
  }

  /** A socket of the test itself, which speaks raw packets. */
  raw(ip: string, receive: Receive): (datagram: Bytes, to: Address) => void {
    const own = parseAddress(ip, 4222);
    if (!own) throw new Error("no address");
    this.#hosts.set(addressText(own), receive);
    return (datagram, to) => this.#send(datagram, own, to);
  }

  /** Cuts a host off, or connects it again. */
  cut(ip: string, off: boolean): void {
    if (off) this.#cut.add(ip);
    else this.#cut.delete(ip);
  }

  /** A node on a new host, not started. */
  node(options: Partial<DhtOptions> = {}): Dht & { readonly ip: string } {
    const index = ++this.#count;
    const ip = `10.0.${index >> 8}.${index & 0xff}`;
    const dht = new Dht({
      socket: this.host(ip),
      port: 4222,
      bootstrap: index === 1 ? [] : ["10.0.0.1:4222"],
      clock: this.clock,
      random: seededRandom(1000 + index),
      ...options,
    });
    return Object.assign(dht, { ip });
  }

  #send(datagram: Bytes, from: Address, to: Address): void {
    this.sent++;
    if (this.#cut.has(from.ip) || this.#cut.has(to.ip) || this.random.float() < this.loss) return;
    this.#timers.after(20 + this.random.float() * 60, () => this.#hosts.get(addressText(to))?.(datagram, from));
  }
}

/** What a promise of the simulated world gives: lets time pass until it is settled. @throws when that takes longer than `ms` */
export async function settled<T>(network: SimNetwork, promise: Promise<T>, ms = 60_000): Promise<T> {
  let over = false;
  const end = () => void (over = true);
  promise.then(end, end);
  for (let passed = 0; !over && passed <= ms; passed += 50) await network.clock.advance(50);
  if (!over) throw new Error(`nothing within ${ms} ms of virtual time`);
  return await promise;
}
