import assert from "node:assert/strict";
import { join } from "node:path";
import { type Config, loadConfig, parseConfig } from "../../../core/config.ts";
import { ConfigError } from "../../../core/config.ts";
import { NodeConfiguration } from "../../../core/node_configuration.ts";
import { NodeError, type SettingInfo, type SettingValue } from "../../../core/node_api.ts";

const BY = { actor: "Neema", address: "127.0.0.1" };

interface World {
  data: string;
  config: Config;
  settings: NodeConfiguration;
  noted: [target: string, detail: string][];
  changed: string[];
  find(key: string): SettingInfo;
  file(): Record<string, unknown>;
}

/** The settings of a node with an own folder. @param argv besides the folder; @param env by name */
async function withSettings(
  test: (world: World) => Promise<void>,
  { argv = [], env = {}, file = null }: { argv?: string[]; env?: Record<string, string>; file?: object | null } = {},
) {
  const data = await Deno.makeTempDir({ prefix: "kituo-configuration-" });
  const path = join(data, "kituo.json");
  if (file) Deno.writeTextFileSync(path, JSON.stringify(file));
  const read = (path: string) => {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return undefined;
    }
  };
  const config = parseConfig(["--data", data, ...argv], (name) => env[name], read);
  const noted: World["noted"] = [], changed: string[] = [];
  const settings = new NodeConfiguration({
    config,
    audit: {
      append(event) {
        noted.push([event.target, event.detail]);
        return { ...event, seq: 1, at: 0, hash: "" };
      },
    },
    check: ({ picture }) =>
      picture === "/none.png"
        ? Promise.reject(new ConfigError("picture: /none.png cannot be read"))
        : Promise.resolve(),
    changed: (keys) => Promise.resolve(void changed.push(...keys)),
  });
  try {
    await test({
      data,
      config,
      settings,
      noted,
      changed,
      find: (key) => settings.state().settings.find((one) => one.key === key) ?? assert.fail(key),
      file: () => JSON.parse(Deno.readTextFileSync(path)),
    });
  } finally {
    await Deno.remove(data, { recursive: true });
  }
}

const given = {
  argv: ["--name", "Flag"],
  env: { KITUO_DHT_PORT: "4300" },
  file: { name: "File", maxFileSize: "1G", allowlist: ["a".repeat(40)] },
};

Deno.test("every setting tells its value as people write it, and where that came from", () =>
  withSettings(async ({ find, data }) => {
    await Promise.resolve();
    const name = find("name"), port = find("dhtPort"), size = find("maxFileSize"), http = find("http");
    assert.deepEqual([name.value, name.source, name.fixedBy], ["Flag", "flag", "--name"]);
    assert.deepEqual([port.value, port.source, port.fixedBy], [4300, "environment", "KITUO_DHT_PORT"]);
    assert.deepEqual([size.value, size.source, size.fixedBy], ["1G", "file", ""]);
    assert.deepEqual([http.value, http.source], ["127.0.0.1:8042", "default"]);
    assert.deepEqual(find("allowlist").value, ["a".repeat(40)]);
    assert.deepEqual([find("fileQuota").value, find("picture").value, find("blind").value], ["10G", null, false]);
    assert.equal(find("data").value, data);
    assert.equal(find("data").fixedBy, "--data");
    assert.deepEqual([find("config").fixedBy, find("config").outside], ["", true]);
  }, given));

Deno.test("a live setting is at work at once, the others after a restart; the next start has both, and the trail tells of them", () =>
  withSettings(async ({ data, config, settings, find, noted, changed, file }) => {
    const result = await settings.change({ fileQuota: "5G", dhtPort: 4400, acceptRequests: "anyone" }, BY);
    assert.ok(result.ok && result.state.restart);
    assert.deepEqual([config.fileQuota, config.acceptRequests, config.dhtPort], [5 * 1024 ** 3, "anyone", 4222]);
    assert.deepEqual(changed.sort(), ["acceptRequests", "fileQuota"]);
    const port = find("dhtPort"), quota = find("fileQuota");
    assert.deepEqual([port.value, port.next, port.pending, port.source], [4222, 4400, true, "file"]);
    assert.deepEqual([quota.value, quota.next, quota.pending], ["5G", "5G", false]);
    assert.deepEqual(file(), { fileQuota: "5G", dhtPort: 4400, acceptRequests: "anyone" });
    assert.equal(loadConfig(["--data", data]).dhtPort, 4400);
    assert.deepEqual(noted, [["fileQuota", '"10G" → "5G"'], ["dhtPort", "4222 → 4400"], [
      "acceptRequests",
      '"manual" → "anyone"',
    ]]);
    assert.ok((await settings.change({ fileQuota: null, dhtPort: null }, BY)).ok);
    assert.deepEqual(file(), { acceptRequests: "anyone" });
    assert.equal(config.fileQuota, 10 * 1024 ** 3);
    assert.equal(settings.state().restart, false);
  }));

Deno.test("a wrong value is explained at its key, and nothing of the change is done", () =>
  withSettings(async ({ settings, config, data, noted }) => {
    const wrong: [Record<string, SettingValue>, string, RegExp][] = [
      [{ name: "ok", maxFileSize: "huge" }, "maxFileSize", /"huge" is not a size/],
      [{ dhtPort: 70_000 }, "dhtPort", /is not a port/],
      [{ allowlist: ["nobody"] }, "allowlist", /is not a Jami ID/],
      [{ logLevel: "loud" }, "logLevel", /one of debug/],
      [{ blind: "perhaps" }, "blind", /true or false/],
      [{ nothing: 1 }, "nothing", /no such setting/],
      [{ data: "/elsewhere" }, "data", /--data says/],
      [{ config: "/x.json" }, "config", /only where the node is started/],
      [{ backupDir: "/etc" }, "backupDir", /only where the node is started/],
      [{ backupPassphraseFile: "/etc/shadow" }, "backupPassphraseFile", /only where the node is started/],
      [{ serveNames: "127.0.0.1:8042" }, "serveNames", /another address or port than the console/],
      [{ serveNames: "0.0.0.0:8042" }, "serveNames", /another address or port/],
      [{ http: "127.0.0.1:9000", serveNames: "localhost:9000" }, "serveNames", /another address or port/],
      [{ picture: "/none.png" }, "picture", /^\/none\.png cannot be read/],
      [{ __proto__x: 1, constructor: 1 }, "__proto__x", /no such setting/],
    ];
    for (const [values, key, message] of wrong) {
      const result = await settings.change(values, BY);
      assert.ok(!result.ok, key);
      assert.equal(result.problems[0].key, key);
      assert.match(result.problems[0].message, message);
    }
    assert.equal(config.name, "Kituo");
    assert.deepEqual(noted, []);
    assert.deepEqual([...Deno.readDirSync(data)], []);
  }));

Deno.test("what a flag or a variable says cannot be changed here", () =>
  withSettings(async ({ settings, file }) => {
    for (const [key, by] of [["name", "--name"], ["dhtPort", "KITUO_DHT_PORT"]]) {
      const result = await settings.change({ [key]: key === "name" ? "Other" : 1 }, BY);
      assert.ok(!result.ok);
      assert.match(result.problems[0].message, new RegExp(`^${by} says`));
    }
    assert.equal(file().name, "File");
  }, given));

Deno.test("what somebody writes into the file by hand is shown as what the next start will have, or as what will make it fail", () =>
  withSettings(async ({ data, settings, find, config }) => {
    const path = join(data, "kituo.json");
    Deno.writeTextFileSync(path, `{"name": "By hand"}`);
    assert.deepEqual([find("name").value, find("name").next, find("name").pending], ["Kituo", "By hand", true]);
    Deno.writeTextFileSync(path, `{"name": 5}`);
    assert.match(settings.state().problem, /name: 5 is not a name/);
    const conflict = (error: unknown) => error instanceof NodeError && error.fault === "conflict";
    await assert.rejects(settings.change({ fileQuota: 1 }, BY), conflict);
    assert.ok((await settings.change({ name: "Mended" }, BY)).ok);
    assert.deepEqual([settings.state().problem, config.name], ["", "Mended"]);
    Deno.writeTextFileSync(path, "not JSON");
    await assert.rejects(settings.change({ name: "x" }, BY), conflict);
    assert.equal(Deno.readTextFileSync(path), "not JSON");
  }));
