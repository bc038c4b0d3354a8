import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig } from "../../../core/config.ts";
import { NodeError } from "../../../core/node_api.ts";
import { writeSettings } from "../../../core/node_settings.ts";

async function withFolder(test: (data: string) => void): Promise<void> {
  const data = await Deno.makeTempDir({ prefix: "kituo-settings-" });
  try {
    test(data);
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

Deno.test("settings changed at the console are those of the next start; all else in the file stays", () =>
  withFolder((data) => {
    writeSettings({ data }, { name: "Pwani" });
    assert.equal((Deno.statSync(join(data, "kituo.json")).mode ?? 0) & 0o777, 0o600);
    Deno.writeTextFileSync(join(data, "kituo.json"), `{"name": "Pwani", "dhtPort": 4300}`);
    writeSettings({ data }, { acceptRequests: "anyone" });
    const { name, dhtPort, acceptRequests } = loadConfig(["--data", data]);
    assert.deepEqual([name, dhtPort, acceptRequests], ["Pwani", 4300, "anyone"]);
    assert.deepEqual([...Deno.readDirSync(data)].map((entry) => entry.name), ["kituo.json"]);
  }));

Deno.test("a settings file of its own is the one that is written; one that cannot be is said so", () =>
  withFolder((data) => {
    const config = join(data, "own.json");
    Deno.writeTextFileSync(config, "{}");
    writeSettings({ data, config }, { name: "Pwani" });
    assert.equal(loadConfig(["--data", data, "--config", config]).name, "Pwani");
    const conflict = (error: unknown) => error instanceof NodeError && error.fault === "conflict";
    assert.throws(() => writeSettings({ data, config: join(data, "none", "x.json") }, { name: "x" }), conflict);
    Deno.writeTextFileSync(config, "not JSON");
    assert.throws(() => writeSettings({ data, config }, { name: "x" }), conflict);
    assert.equal(Deno.readTextFileSync(config), "not JSON");
  }));
