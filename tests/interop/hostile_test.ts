/** A stranger on the network, without any key, against the open ports of a running node that talks with Alice meanwhile. */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { concat, fromHex, text, utf8 } from "../../core/base/bytes.ts";
import { seededRandom } from "../../core/base/random.ts";
import { STRANGER_TIMEOUT } from "../../core/transport/constants.ts";
import { framed } from "../../core/transport/frames.ts";
import { encodeStun, StunAttribute, StunType } from "../../core/transport/stun.ts";
import packets from "../vectors/opendht/packets.json" with { type: "json" };
import { people } from "./driver/daemon.ts";
import { errorsOf } from "./driver/evidence.ts";
import type { KituoProcess } from "./driver/kituo.ts";
import { Network } from "./driver/network.ts";
import { addNode, openNode } from "./driver/open_node.ts";
import { interopTest } from "./driver/requirements.ts";
import { Witness } from "./driver/witness.ts";

const PEER_PORT = 4300, DHT_PORT = 4222, HTTP_PORT = 8042;
const CLOSE_LIMIT = 5_000; // ms in which garbage must have cost its connection
const random = seededRandom(8);

interopTest("garbage and floods on all ports, without a key: the node goes on talking", async (t) => {
  await using network = await Network.up();
  const [alice] = await people(network, "alice");
  await using _alice = alice;
  await using kituo = await openNode(network, "kituo", "--peer-port", `${PEER_PORT}`, "--dht-port", `${DHT_PORT}`);
  const conversation = await addNode(alice, kituo);
  const { address } = kituo.host;

  const attack = (name: string, run: () => Promise<void>) =>
    t.step(name, async () => {
      await using witness = await Witness.start(alice, kituo, conversation);
      await run();
      await witness.testify();
    });

  await attack("TCP: what is no check for a session is closed at once", async () => {
    for (const bytes of garbageForIce()) {
      await closedWithin(CLOSE_LIMIT, await connected(address, PEER_PORT, bytes), `${bytes.subarray(0, 20)}`);
    }
  });

  await attack("TCP: half a frame, and nothing at all, are closed after 10 s", async () => {
    const silent = [
      new Uint8Array(0),
      Uint8Array.of(0),
      Uint8Array.of(1, 0, 0, 1, 0, 0),
      framed(stun("x")).subarray(0, 30),
    ];
    const conns = await Promise.all(silent.map((bytes) => connected(address, PEER_PORT, bytes)));
    await Promise.all(conns.map((conn) => closedWithin(STRANGER_TIMEOUT + CLOSE_LIMIT, conn, "silent")));
  });

  await attack("TCP: a flood of 2000 connections, and Alice still gets in", async () => {
    const open = new Set<Deno.Conn>();
    for (let i = 0; i < 2_000; i++) {
      const conn = await connected(address, PEER_PORT, i % 3 ? random.bytes(i % 200) : new Uint8Array(0)).catch(() =>
        null
      );
      if (conn) open.add(conn);
      if (open.size > 200) { for (const old of [...open].slice(0, 100)) open.delete(old) && old.close(); }
    }
    await alice.kill();
    await alice.start(); // its new connection comes while the stranger's are there
    open.forEach((conn) => conn.close());
  });

  await attack("UDP: 10,000 packets of garbage, cut and blown up packets of real nodes", async () => {
    const socket = createSocket("udp4");
    for (let i = 0; i < 10_000; i++) {
      await new Promise((sent) => socket.send(garbageForDht(i), DHT_PORT, address, sent));
      if (i % 100 === 0) await pause(5); // else the kernel drops most of them
    }
    await new Promise<void>((closed) => socket.close(closed));
  });

  await attack("HTTP: garbage, half requests, huge bodies and slow ones", async () => {
    for (const bytes of garbageForHttp()) {
      const conn = await connected(address, HTTP_PORT, bytes);
      assert.doesNotMatch(await beginning(conn), /^HTTP\/1\.1 [235]/); // an end, a refusal, or HTTP/2's greeting
    }
    const slow = await Promise.all(
      Array.from({ length: 300 }, () => connected(address, HTTP_PORT, utf8("GET / HTTP/1.1\r\nX: "))),
    );
    await refusedByHttp(kituo);
    slow.forEach((conn) => conn.close());
  });
  assert.deepEqual(await errorsOf(kituo), []);
});

/** First bytes that are no valid request for a session. */
function garbageForIce(): Uint8Array[] {
  const noise = Array.from({ length: 50 }, () => framed(random.bytes(1 + random.int(600))));
  return [
    utf8("GET / HTTP/1.1\r\nHost: kituo\r\n\r\n"),
    Uint8Array.of(0xff, 0xff, ...random.bytes(65_535)),
    Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, ...random.bytes(6_000)), // a ClientHello without ICE
    framed(stun("00000000:11111111")),
    framed(stun("x".repeat(500))),
    framed(stun("00000000:11111111").subarray(0, 24)),
    ...noise,
  ];
}

/** A well-formed check of somebody who knows neither a user name nor its password. */
function stun(username: string): Uint8Array {
  const attributes = [{ type: StunAttribute.username, value: utf8(username) }];
  return encodeStun({ type: StunType.request, transactionId: random.bytes(12), attributes }, "wrong");
}

const RECORDED = packets.map(({ hex }) => fromHex(hex));

/** The i-th packet: noise, or one of a real node, cut, changed, or with something behind it. */
function garbageForDht(i: number): Uint8Array {
  const packet = Uint8Array.from(RECORDED[random.int(RECORDED.length)]);
  switch (i % 5) {
    case 0:
      return random.bytes(random.int(1_500));
    case 1:
      return packet.subarray(0, random.int(packet.length));
    case 2:
      for (let n = random.int(8) + 1; n > 0; n--) packet[random.int(packet.length)] = random.int(256);
      return packet;
    case 3:
      return concat(packet, random.bytes(i % 50 ? 100 : 60_000 - packet.length));
    default:
      // a map or array that promises more than there is, and one that nests
      return i % 2 ? concat(Uint8Array.of(0xdf, 255, 255, 255, 255), packet) : new Uint8Array(1_400).fill(0x91);
  }
}

function garbageForHttp(): Uint8Array[] {
  return [
    random.bytes(4_000),
    utf8("\r\n\r\n\r\n\r\nHELLO\r\n\r\n"),
    utf8("GET /healthz HTTP/9.9\r\n\r\n"),
    utf8(`GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
    utf8(`GET / HTTP/1.1\r\nHost: x\r\n${"X-Y: z\r\n".repeat(20_000)}\r\n`),
    utf8(
      "POST /api/v1/contacts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nffffffffff\r\n",
    ),
    utf8(
      "POST /api/v1/contacts HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhello",
    ),
    utf8("GET /%00%ff/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    utf8("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\0\0\0\0\0\0\xff\xff\xff"),
  ];
}

/** Whoever has no token, or the wrong one, is refused, whatever they send. */
async function refusedByHttp(kituo: KituoProcess): Promise<void> {
  const huge = { jamiId: "a".repeat(10_000_000) };
  for (const authorization of ["", "Bearer", "Bearer x", `Bearer ${"y".repeat(10_000)}`, "Basic YTpi"]) {
    assert.equal((await kituo.request("GET", "/api/v1/node", undefined, { authorization })).status, 401);
  }
  const { status } = await kituo.request("POST", "/api/v1/contacts", huge, { authorization: "Bearer x" })
    .catch(() => ({ status: 401 })); // refused before all of the body was read: the connection may break
  assert.equal(status, 401);
}

async function connected(hostname: string, port: number, bytes: Uint8Array): Promise<Deno.Conn> {
  const conn = await Deno.connect({ hostname, port });
  await (async () => {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  })().catch(() => {}); // closed before all was written: what comes next finds out
  return conn;
}

/** The first bytes that the other side says; none when it closes the connection or resets it. */
async function beginning(conn: Deno.Conn): Promise<string> {
  const buffer = new Uint8Array(4_096);
  const length = await conn.read(buffer).catch(() => null);
  conn.close();
  return text(buffer.subarray(0, length ?? 0));
}

/** The other side closes the connection, or resets it, in time. */
async function closedWithin(ms: number, conn: Deno.Conn, what: string): Promise<void> {
  const buffer = new Uint8Array(16_384);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`still open after ${ms} ms: ${what}`)), ms);
  const end = (async () => {
    while (await conn.read(buffer) !== null);
  })().catch(() => {}); // a reset is an end too
  try {
    await Promise.race([end, late.promise]);
  } finally {
    clearTimeout(timer);
    conn.close();
    await end;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
