import assert from "node:assert/strict";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { managerFor, nextConnection, readBytes, SignallingTable, testDevices } from "./support.ts";

Deno.test("two managers connect, and a named channel echoes in both directions", async () => {
  const [a, b] = await testDevices();
  const table = new SignallingTable();
  const alice = managerFor(a, table, [b]), bob = managerFor(b, table, [a]);
  alice.start();
  bob.start();
  try {
    const incoming = nextConnection(bob);
    const outgoing = await alice.connect(b.key.publicKey);
    const back = await incoming;
    for (const connection of [outgoing, back]) {
      const channel = await connection.open("echo");
      const writer = channel.writable.getWriter();
      await writer.write(utf8("hello"));
      assert.equal(text(await readBytes(channel, 5)), "hello");
      channel.close();
      await channel.closed;
    }
  } finally {
    await Promise.all([alice.stop(), bob.stop()]);
  }
});
