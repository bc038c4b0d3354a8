/**
 * An attacker with an account: she keeps to the protocol down to the layer that a test attacks, and there says what she likes. She lives in the test's
 * own process, at the address that the tests have on the network's switch.
 */

import { certificateKeys, certificateValue } from "../../../core/dht/certificate_value.ts";
import type { Bytes } from "../../../core/base/bytes.ts";
import { systemClock } from "../../../core/base/clock.ts";
import { systemRandom } from "../../../core/base/random.ts";
import { Dht } from "../../../core/dht/dht.ts";
import { Certificate } from "../../../core/identity/certificate.ts";
import { createIdentity, type Identity } from "../../../core/identity/identity.ts";
import { encodeMsg } from "../../../core/messaging/msg_channel.ts";
import type { Channel, Connection } from "../../../core/transport/channel.ts";
import { ConnectionManager } from "../../../core/transport/connection_manager.ts";
import { RawPeer } from "../../unit/transport/raw_peer.ts";
import type { KituoProcess } from "./kituo.ts";
import type { Network } from "./network.ts";

const TEST_ADDRESS = "253"; // see network.ts

export class Mallory implements AsyncDisposable {
  /** What she does with a `git://` channel that the node asks for; `null` declines it. */
  serve: ((channel: Channel) => void) | null = null;
  readonly #manager: ConnectionManager;
  #raw: RawPeer | null = null;

  private constructor(
    readonly identity: Identity,
    private readonly dht: Dht,
    private readonly chain: Certificate[],
    private readonly address: string,
  ) {
    this.#manager = new ConnectionManager({
      identity,
      dht,
      clock: systemClock,
      random: systemRandom,
      port: 0,
      addresses: () => [address],
      publicAddresses: () => [],
      certificates: { byKey: () => Promise.resolve(chain) },
      seen: { has: () => false, add: () => {} },
      allow: () => true,
      accept: (_connection, name) => name.startsWith("git://") ? this.serve : null,
      revocations: () => [],
    });
  }

  /** A new account, known on the DHT, and ready to connect with the node. */
  static async join(network: Network, kituo: KituoProcess): Promise<Mallory> {
    const { identity } = await createIdentity({ now: Date.now() });
    const bootstrap = [network.bootstrap, `${kituo.host.address}:4222`];
    const dht = new Dht({ port: 0, bootstrap, clock: systemClock, random: systemRandom });
    await dht.start();
    const certificate = certificateValue(identity.chainPem);
    await Promise.all(certificateKeys(identity.key.publicKey).map((key) => dht.put(key, certificate)));
    const chain = Certificate.listFromPem(await Deno.readTextFile(`${kituo.data}/identity/chain.pem`));
    const address = network.switch.address.replace(/\d+$/, TEST_ADDRESS);
    return new Mallory(identity, dht, chain, address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#raw?.stop();
    await this.#manager.stop();
    await this.dht.stop();
  }

  get account(): string {
    return this.identity.account;
  }

  /** The node's device. */
  get target(): string {
    return this.chain[0].publicKey.longId;
  }

  /** An honest connection. */
  async connect(): Promise<Connection> {
    this.#manager.start();
    return await this.#manager.connect(this.chain[0].publicKey);
  }

  /** Signalling by hand: for one who attacks ICE, TLS or the multiplexer, and does not `connect`. */
  get raw(): RawPeer {
    return this.#raw ??= new RawPeer(this.identity, this.dht, ["long"], this.address);
  }

  /** After ICE, before TLS: bytes go out as they are. */
  async belowTls() {
    return await this.raw.request(this.chain[0].publicKey);
  }

  /** After an honest TLS handshake. */
  async insideTls() {
    const raw = await this.belowTls();
    return { socket: await this.raw.tls(raw), link: raw.link };
  }

  /** Tells the node of a commit, so that it comes and fetches. */
  notify(conversation: string, commit: string): Bytes {
    const body = JSON.stringify({ commit, deviceId: this.identity.device, id: conversation });
    return encodeMsg({ id: systemRandom.id() >> 11n, type: "application/im-gitmessage-id", body });
  }

  /** Invites the node into a conversation. */
  invite(conversation: string): Bytes {
    const body = JSON.stringify({ conversationId: conversation, metadatas: { mode: "2" } });
    return encodeMsg({ id: systemRandom.id() >> 11n, type: "application/invite+json", body });
  }
}
