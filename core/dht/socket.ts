/** The UDP sockets under the DHT: real ones by node:dgram, others by whoever simulates a network. */

import { createSocket } from "node:dgram";
import type { Bytes } from "../base/bytes.ts";
import { type Address, type Family, parseAddress } from "./address.ts";

/** One bound UDP socket. */
export interface DatagramSocket {
  readonly port: number;
  /** Sends one datagram; `failed` is called, later, when the system refuses to. */
  send(datagram: Bytes, to: Address, failed: () => void): void;
  close(): Promise<void>;
}

/**
 * Binds a socket of one family on all interfaces, IPv6 without IPv4.
 * @param port 0 for any
 * @throws when it cannot be bound
 */
export type SocketFactory = (
  family: Family,
  port: number,
  receive: (datagram: Uint8Array, from: Address) => void,
) => Promise<DatagramSocket>;

/** Sockets of the operating system, on `hosts` (all interfaces unless told otherwise). */
export function udpSockets(hosts: { 4?: string; 6?: string } = { 4: "0.0.0.0", 6: "::" }): SocketFactory {
  return (family, port, receive) =>
    new Promise((resolve, reject) => {
      const host = hosts[family];
      if (host === undefined) return reject(new Error(`no IPv${family} wanted`));
      const socket = createSocket({ type: family === 4 ? "udp4" : "udp6", ipv6Only: family === 6 });
      socket.once("error", reject);
      socket.on("message", (datagram, from) => {
        const address = parseAddress(from.address, from.port);
        if (address) receive(datagram, address);
      });
      socket.bind(port, host, () => {
        socket.off("error", reject);
        socket.on("error", () => {}); // Errors of single datagrams (ICMP) are told to `send`; the socket lives on.
        resolve({
          port: socket.address().port,
          send: (bytes, to, failed) => socket.send(bytes, to.port, to.ip, (error) => error && failed()),
          close: () => new Promise((closed) => socket.close(() => closed())),
        });
      });
    });
}
