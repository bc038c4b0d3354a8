import assert from "node:assert/strict";
import { parseConfig } from "../../../core/config.ts";
import { writeVcard } from "../../../core/messaging/vcard.ts";
import { Node } from "../../../core/node.ts";
import { openStore } from "../../../core/store/store.ts";
import { testIdentity } from "../../support/people.ts";

Deno.test("the numbers of a node: counted, bounded, and about nobody", async () => {
  const data = await Deno.makeTempDir({ prefix: "kituo-metrics-" });
  try {
    const args = [
      "--data",
      data,
      "--bootstrap",
      "none",
      "--dht-port",
      "0",
      "--peer-port",
      "0",
      "--name-server",
      "none",
    ];
    const config = parseConfig(args, () => undefined, () => undefined);
    const node = new Node(config, await testIdentity(Date.now()), openStore(`${data}/kituo.db`), writeVcard("Kituo"));
    await node.start();
    try {
      const { id: group } = await node.createGroup({ mode: "invites-only" });
      const before = numbers(await node.metrics.text());
      assert.equal(before.get("kituo_conversations"), 1);
      assert.equal(before.get("kituo_messages_waiting"), node.overview().waiting.messages);
      const commits = before.get("kituo_commits_total") ?? 0;
      assert.ok((before.get("kituo_database_bytes") ?? 0) > 10_000);
      assert.ok((before.get('kituo_memory_bytes{kind="resident"}') ?? 0) > 10_000_000);
      assert.equal(before.get('kituo_files{state="stored"}'), node.storage().files.counts.stored);
      await node.post(group, "one more");
      for (const status of [200, 204, 404]) node.metrics.answered({ kind: "api", status, seconds: 0.02 });
      const text = await node.metrics.text();
      const after = numbers(text);
      assert.equal(after.get("kituo_commits_total"), commits + 1);
      assert.equal(after.get('kituo_http_request_duration_seconds_count{kind="api",status="2xx"}'), 2);
      assert.ok(after.size < 200, `${after.size} numbers`);
      assert.doesNotMatch(text, /[0-9a-f]{16}/, "an id");
      for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) assert.match(name, /^kituo_[a-z_]+$/);
    } finally {
      await node.stop();
    }
  } finally {
    await Deno.remove(data, { recursive: true });
  }
});

/** Numbers by name and labels. */
function numbers(text: string): Map<string, number> {
  return new Map(
    text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
