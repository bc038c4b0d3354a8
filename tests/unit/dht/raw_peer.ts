/** A peer that a test plays by hand, packet by packet, in the simulated network. */

import { type Address, ipBytes } from "../../../core/dht/address.ts";
import { type InfoHash, infoHash } from "../../../core/dht/info_hash.ts";
import {
  encodePacket,
  type Packet,
  type ReplyBody,
  type RequestBody,
  type RequestPacket,
} from "../../../core/dht/packet.ts";
import { decodePacket } from "../../../core/dht/packet_reader.ts";
import type { SimNetwork } from "./sim.ts";

/** Answers requests as `answer` says and remembers all packets. */
export class RawPeer {
  readonly id: InfoHash;
  readonly address: Address;
  readonly received: Packet[] = [];
  /** What to reply to a request; `null`: nothing. A packet: that instead. */
  answer: (request: RequestPacket) => ReplyBody | Packet | null = (request) => this.usual(request);
  #send: (bytes: Uint8Array<ArrayBuffer>, to: Address) => void;
  #tid = 1;

  constructor(private readonly network: SimNetwork, ip: string, id = infoHash(ip)) {
    this.id = id;
    this.address = { family: 4, ip, port: 4222 };
    this.#send = network.raw(ip, (datagram, from) => this.#receive(decodePacket(datagram), from));
  }

  /** What an honest node without values answers. */
  usual({ body }: RequestPacket): ReplyBody {
    if (body.name === "find" || body.name === "get") return { token: new Uint8Array([1, 2, 3]) };
    if (body.name === "put") {
      const [value] = body.values;
      return { valueId: typeof value === "object" ? value?.id : 1n };
    }
    return body.name === "refresh" ? { valueId: body.valueId } : {};
  }

  /** Requests of one name received so far. */
  requests<Name extends RequestBody["name"]>(name: Name): Extract<RequestBody, { name: Name }>[] {
    return this.received.flatMap((packet) =>
      packet.kind === "request" && packet.body.name === name
        ? [packet.body as Extract<RequestBody, { name: Name }>] // reason: the name was compared
        : []
    );
  }

  /** Sends a packet as it is. */
  send(to: Address, packet: Packet): void {
    this.#send(encodePacket(packet), to);
  }

  /** Sends bytes as they are. */
  sendBytes(to: Address, bytes: Uint8Array<ArrayBuffer>): void {
    this.#send(bytes, to);
  }

  /** Sends a request and gives what came back within a second of virtual time. */
  async ask(to: Address, body: RequestBody): Promise<Packet[]> {
    const tid = this.#tid++;
    const before = this.received.length;
    this.send(to, { kind: "request", tid, id: this.id, body });
    await this.network.clock.advance(1000);
    return this.received.slice(before).filter((packet) => packet.tid === tid);
  }

  /** As `ask`, for a single reply. @throws when it is not one */
  async reply(to: Address, body: RequestBody): Promise<ReplyBody> {
    const answers = await this.ask(to, body);
    const [answer] = answers;
    if (answers.length !== 1 || answer.kind !== "reply") {
      throw new Error(`not one reply but ${JSON.stringify(answers.map((a) => a.kind))}`);
    }
    return answer.body;
  }

  #receive(packet: Packet, from: Address): void {
    this.received.push(packet);
    if (packet.kind !== "request") return;
    const answer = this.answer(packet);
    if (!answer) return;
    if ("kind" in answer) this.send(from, answer);
    else this.send(from, { kind: "reply", tid: packet.tid, id: this.id, body: { seenAs: ipBytes(from), ...answer } });
  }
}
