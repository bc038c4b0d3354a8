/** Each stage of a connection attacked over real sockets: it costs the attacker the connection, and the manager goes on. */

import assert from "node:assert/strict";
import { type Bytes, concat, text, utf8 } from "../../../core/base/bytes.ts";
import { systemRandom } from "../../../core/base/random.ts";
import type { Certificate } from "../../../core/identity/certificate.ts";
import { chainToPem } from "../../../core/identity/certificate.ts";
import { ConnectError } from "../../../core/transport/channel.ts";
import type { ConnectionManager } from "../../../core/transport/connection_manager.ts";
import { framed, FrameSplitter } from "../../../core/transport/frames.ts";
import { IceListener } from "../../../core/transport/ice_listener.ts";
import type { IceText } from "../../../core/transport/ice_text.ts";
import { packChannelMessage, packMessage } from "../../../core/transport/mux_codec.ts";
import {
  attributeOf,
  decodeStun,
  encodeStun,
  errorNumber,
  type StunAttr,
  StunAttribute,
  StunType,
  uint32,
} from "../../../core/transport/stun.ts";
import { peerKey } from "../../../core/transport/signalling.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { closedByPeer, RawPeer } from "./raw_peer.ts";
import { managerFor, nextConnection, readBytes, SignallingTable, type TestDevice, testDevices } from "./support.ts";

interface Attack {
  alice: ConnectionManager;
  a: TestDevice;
  mallory: RawPeer;
  table: SignallingTable;
}

/** Runs an attack of a known device on a manager; afterwards an honest device must be served. */
function attack(name: string, run: (attack: Attack) => Promise<void>, byKey?: (leaf: Certificate[]) => Certificate[]) {
  Deno.test(name, async () => {
    const [a, m, b] = await testDevices();
    const table = new SignallingTable();
    const alice = managerFor(a, table, [b, { ...m, chain: byKey?.(m.chain) ?? m.chain }]);
    const bob = managerFor(b, table, [a]);
    const mallory = new RawPeer(m, table);
    alice.start();
    bob.start();
    try {
      await run({ alice, a, mallory, table });
      const channel = await (await bob.connect(a.key.publicKey)).open("echo");
      await channel.writable.getWriter().write(utf8("still here"));
      assert.equal(text(await readBytes(channel, 10)), "still here");
      assert.deepEqual(alice.connections(m.device), []);
    } finally {
      await Promise.all([alice.stop(), bob.stop(), mallory.stop()]);
    }
  });
}

/** A plain TCP connection to the manager's port that has said this. */
async function said(port: number, ...bytes: Uint8Array[]): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(concat(...bytes));
  return conn;
}

/** A check for a session, right unless changed. */
function check(
  ice: IceText,
  changes: { user?: string; key?: string; type?: number; attributes?: StunAttr[] } = {},
): Bytes {
  const attributes = changes.attributes ?? [
    { type: StunAttribute.priority, value: uint32(1) },
    { type: StunAttribute.iceControlled, value: new Uint8Array(8) },
  ];
  const username = { type: StunAttribute.username, value: utf8(changes.user ?? `${ice.ufrag}:evil`) };
  const message = {
    type: changes.type ?? StunType.request,
    transactionId: systemRandom.bytes(12),
    attributes: [...attributes, username],
  };
  return framed(encodeStun(message, changes.key ?? ice.pwd));
}

attack("bytes that are no STUN request for a session close the connection", async ({ alice, a, mallory }) => {
  const ice = await mallory.ask(a.key.publicKey, mallory.session("controlled"));
  const attempts = [
    utf8("GET / HTTP/1.1\r\n\r\n"),
    framed(utf8("not STUN at all, but in a frame")),
    Uint8Array.of(0xff, 0xff, 0, 1),
    check(ice, { user: "00000000:evil" }),
    check(ice, { key: "wrong password wrong" }),
    check(ice, { type: StunType.indication }),
    check(ice, { type: 0x0003 }),
    framed(encodeStun({ type: StunType.request, transactionId: new Uint8Array(12), attributes: [] })),
  ];
  for (const bytes of attempts) await closedByPeer(await said(alice.port, bytes));
});

attack(
  "8192 bytes of data before nomination, and oversized frames, close the connection",
  async ({ alice, a, mallory }) => {
    const ice = await mallory.ask(a.key.publicKey, mallory.session("controlled"));
    const good = check(ice, { user: `${ice.ufrag}:${mallory.text(mallory.session("controlled")).slice(0, 8)}` });
    const flood = Array.from({ length: 9 }, () => framed(new Uint8Array(1000).fill(1)));
    await closedByPeer(await said(alice.port, good, ...flood));
    await closedByPeer(await said(alice.port, good, Uint8Array.of(0x20, 0x01)));
  },
);

attack(
  "wrong checks on a session's connection are answered by errors, and never nominate",
  async ({ alice, a, mallory }) => {
    const session = mallory.session("controlled");
    const ice = await mallory.ask(a.key.publicKey, session);
    const user = `${ice.ufrag}:${session.ufrag}`;
    const conn = await said(
      alice.port,
      check(ice, { user }),
      check(ice, { user, key: "wrong password wrong" }),
      check(ice, { user, type: 0x0003 }),
      check(ice, { user, attributes: [] }),
      check(ice, {
        user,
        attributes: [{ type: StunAttribute.priority, value: uint32(1) }, {
          type: StunAttribute.iceControlling,
          value: new Uint8Array(8),
        }],
      }),
    );
    const answers: number[] = [];
    const splitter = new FrameSplitter();
    const buffer = new Uint8Array(4096);
    while (answers.length < 5) {
      const n = await conn.read(buffer);
      assert(n !== null);
      for (const frame of splitter.push(buffer.subarray(0, n))) {
        const message = decodeStun(frame);
        if (message.type === StunType.success) answers.push(0);
        if (message.type === StunType.error) answers.push(errorNumber(attributeOf(message, StunAttribute.errorCode)));
      }
    }
    assert.deepEqual(answers, [0, 401, 400, 400, 487]);
    conn.close();
  },
);

Deno.test("a TCP connection that says nothing is closed after 10 s; no more than 32 come from one address", async () => {
  const clock = new VirtualClock();
  const listener = new IceListener(clock);
  listener.start(0);
  const silent: Deno.TcpConn[] = [];
  for (let i = 0; i < 32; i++) silent.push(await said(listener.port, new Uint8Array([0])));
  await closedByPeer(await said(listener.port));
  await clock.advance(9_999);
  const closing = Promise.all(silent.map(closedByPeer));
  await clock.advance(1);
  await closing;
  const again = await said(listener.port, new Uint8Array([0]));
  listener.stop();
  await closedByPeer(again);
});

for (const when of ["with the nomination", "after the handshake has begun"]) {
  attack(`garbage instead of a ClientHello, ${when}: the request fails, nothing else`, async ({ alice, mallory }) => {
    const connecting = assert.rejects(alice.connect(mallory.device.key.publicKey), ConnectError);
    const { link } = await mallory.answer();
    const garbage = utf8("\x99 this is no TLS record at all ".repeat(20));
    if (when !== "with the nomination") await link.send(Uint8Array.of(22, 3, 1, 0, 200));
    await link.send(garbage);
    link.resume();
    await connecting;
    await link.done;
  });
}

attack("garbage instead of a ServerHello: the session ends, nothing else", async ({ a, mallory }) => {
  const { link } = await mallory.request(a.key.publicKey);
  await link.send(systemRandom.bytes(500));
  link.resume();
  await link.done;
});

/** Mallory as TLS client with these credentials: alice's connect must fail. */
function refusedClient(
  name: string,
  credentials: (m: TestDevice, other: TestDevice) => { chain?: string; key?: string },
) {
  attack(`refused as TLS client: ${name}`, async ({ alice, mallory }) => {
    const connecting = assert.rejects(alice.connect(mallory.device.key.publicKey), ConnectError);
    const raw = await mallory.answer();
    const [, , other] = await testDevices();
    const { chain, key } = credentials(mallory.device, other);
    const socket = await mallory.tls(raw, chain, key).catch(() => null); // with TLS 1.3 the client may think that all went well
    socket?.on("error", () => {});
    socket?.resume();
    await connecting;
    await raw.link.done;
  });
}

refusedClient("only the device's certificate", (m) => ({ chain: chainToPem(m.chain.slice(0, 1)) }));
refusedClient("another device's certificate", (_m, other) => ({ chain: other.chainPem, key: other.key.toPem() }));
refusedClient("no certificate", () => ({ chain: "", key: "" }));

attack("refused as TLS server: another device's certificate", async ({ a, mallory }) => {
  const raw = await mallory.request(a.key.publicKey);
  const [, , other] = await testDevices();
  const socket = await mallory.tls(raw, other.chainPem, other.key.toPem()).catch(() => null);
  socket?.on("error", () => {});
  socket?.resume();
  await raw.link.done;
});

/** Mallory with an honest handshake, then these bytes inside TLS. */
function insideTls(name: string, bytes: () => Bytes) {
  attack(`inside TLS: ${name} ends the connection`, async ({ alice, a, mallory }) => {
    const up = nextConnection(alice);
    const socket = await mallory.tls(await mallory.request(a.key.publicKey));
    socket.on("error", () => {});
    socket.resume();
    const connection = await up;
    socket.write(bytes());
    await connection.closed;
  });
}

insideTls("bytes that are not msgpack", () => Uint8Array.of(0xc1, 0xc1));
insideTls("a message over 65,535 bytes", () => packMessage(5, new Uint8Array(65_536)));
insideTls(
  "a message that promises 4 GB",
  () => concat(Uint8Array.of(0x92, 5, 0xc6, 255, 255, 255, 255), new Uint8Array(100_000)),
);
insideTls("a name of 1025 bytes", () => packMessage(0, packChannelMessage("x".repeat(1025), 5, 0)));
insideTls("a flood of channel requests", () => {
  return concat(...Array.from({ length: 2000 }, (_, i) => packMessage(0, packChannelMessage("no", i + 1, 0))));
});

attack("garbage records after the handshake end the connection", async ({ alice, a, mallory }) => {
  const up = nextConnection(alice);
  const raw = await mallory.request(a.key.publicKey);
  const socket = await mallory.tls(raw);
  socket.on("error", () => {});
  const connection = await up;
  await raw.link.send(systemRandom.bytes(1000));
  await connection.closed;
});

attack("a flood of requests of one signer costs a few sessions", async ({ a, mallory, table }) => {
  const sessions = Array.from({ length: 100 }, () => mallory.session("controlled"));
  const before = table.puts.length;
  await Promise.race(sessions.map((session) => mallory.ask(a.key.publicKey, session)));
  // 100 decryptions take less; an answer that comes later would be missed, never one too many counted.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const answers = table.puts.slice(before).filter(({ key }) => key === peerKey(mallory.device.key.publicKey, "long"));
  assert(answers.length >= 1 && answers.length <= 4, `${answers.length} sessions for one device`);
});
