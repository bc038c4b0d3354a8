import assert from "node:assert/strict";
import fc from "fast-check";
import {
  asksFor,
  type Config,
  ConfigError,
  configHelp,
  configTable,
  formatHostPort,
  parseConfig,
  parseHostPort,
} from "../../../core/config.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";

/** The settings from a command line, an environment and files. */
function parse(
  argv: string[] = [],
  env: Record<string, string> = {},
  files: Record<string, string> = {},
): Config {
  return parseConfig(argv, (name) => env[name], (path) => files[path]);
}

Deno.test("without anything the settings are those of the first issue", () => {
  assert.deepEqual(parse(), {
    data: "./data",
    link: false,
    http: { host: "127.0.0.1", port: 8042 },
    consoleOrigin: [],
    trustedProxy: [],
    bootstrap: ["bootstrap.jami.net:4222"],
    dhtPort: 4222,
    peerPort: 0,
    publicAddress: [],
    name: "Kituo",
    nameServer: "https://ns.jami.net",
    acceptRequests: "manual",
    allowlist: [],
    offerContact: true,
    enforceModes: true,
    blind: false,
    maxFileSize: 256 * 1024 ** 2,
    fileQuota: 10 * 1024 ** 3,
    conversationFileQuota: 2 * 1024 ** 3,
    fileRetentionDays: 365,
    logLevel: "info",
    logFormat: "auto",
    backupEvery: 24,
    backupKeep: 7,
    backupFiles: true,
  });
});

const good: [string, Partial<Config>, ...Parameters<typeof parse>][] = [
  ["a value after the flag or after =", { data: "x", name: "a=b" }, ["--data", "x", "--name=a=b"]],
  ["a flag alone", { link: true, data: "x" }, ["--link", "--data", "x"]],
  ["a flag alone at the end", { link: true }, ["--link"]],
  ["IPv4, port 0", { http: { host: "0.0.0.0", port: 0 } }, ["--http", "0.0.0.0:0"]],
  ["IPv6 in brackets", { http: { host: "::1", port: 8042 } }, ["--http", "[::1]:8042"]],
  ["a host name", { http: { host: "console.example", port: 65535 } }, ["--http", "console.example:65535"]],
  ["a collector of spans", { otlpEndpoint: "http://127.0.0.1:4318" }, ["--otlp-endpoint", "http://127.0.0.1:4318/"]],
  ["back-ups by itself", { backupDir: "/mnt/b", backupEvery: 6, backupKeep: 30, backupPassphraseFile: "/etc/p" }, [
    "--backup-dir=/mnt/b",
    "--backup-every=6",
    "--backup-keep=30",
    "--backup-passphrase-file=/etc/p",
  ]],
  ["several bootstrap entries of all forms, each once", {
    bootstrap: ["a.example:4222", "192.0.2.1:1", "[2001:db8::1]:4223"],
  }, ["--bootstrap", "a.example:4222, 192.0.2.1:1,[2001:db8::1]:4223,a.example:4222"]],
  ["no bootstrap", { bootstrap: [] }, ["--bootstrap", "none"]],
  ["origins of the console", { consoleOrigin: ["https://a.example", "https://b.example:8443"] }, [
    "--console-origin",
    "https://a.example,https://b.example:8443",
  ]],
  ["ports", { dhtPort: 0, peerPort: 65535 }, ["--dht-port", "0", "--peer-port", "65535"]],
  ["public addresses", { publicAddress: ["198.51.100.1", "2001:db8::2"] }, [
    "--public-address",
    "198.51.100.1,2001:db8::2",
  ]],
  ["a name server of one's own, its slash gone", { nameServer: "http://192.0.2.1:8080/jami" }, [
    "--name-server",
    "http://192.0.2.1:8080/jami/",
  ]],
  ["no name server", { nameServer: "" }, ["--name-server", "none"]],
  ["no name server, in JSON", { data: "d", nameServer: "" }, ["--data", "d"], {}, {
    "d/kituo.json": `{"nameServer": ""}`,
  }],
  ["to be a name server", { serveNames: { host: "0.0.0.0", port: 8080 } }, ["--serve-names", "0.0.0.0:8080"]],
  ["a name with blanks around it", { name: "Kituo cha Pwani" }, ["--name", " Kituo cha Pwani "]],
  ["sizes in all units", { maxFileSize: 0, fileQuota: 1024 ** 4, conversationFileQuota: 3 * 1024 }, [
    "--max-file-size",
    "0",
    "--file-quota",
    "1T",
    "--conversation-file-quota=3 k",
  ]],
  ["days, and a picture", { fileRetentionDays: 0, picture: "me.png" }, [
    "--file-retention-days",
    "0",
    "--picture",
    "me.png",
  ]],
  ["a policy and its accounts", { acceptRequests: "allowlist", allowlist: [ID] }, [
    "--accept-requests",
    "allowlist",
    "--allowlist",
    `jami:${ID},${ID.toUpperCase()}`,
  ]],
  ["true and false as texts and in JSON", { data: "d", offerContact: false }, ["--data", "d"], {}, {
    "d/kituo.json": `{"offerContact": false}`,
  }],
  ["false on the command line", { offerContact: false }, ["--offer-contact", "false"]],
  ["the environment", { data: "e", dhtPort: 5, acceptRequests: "anyone", publicAddress: ["192.0.2.9"] }, [], {
    KITUO_DATA: "e",
    KITUO_DHT_PORT: "5",
    KITUO_ACCEPT_REQUESTS: "anyone",
    KITUO_PUBLIC_ADDRESS: "192.0.2.9",
  }],
  ["an empty variable is unset", { name: "Kituo" }, [], { KITUO_NAME: "" }],
  [
    "kituo.json in the data folder, numbers and arrays",
    {
      data: "d",
      peerPort: 7,
      bootstrap: ["b:1", "c:2"],
    },
    [
      "--data",
      "d",
    ],
    {},
    { "d/kituo.json": `{"peerPort": 7, "bootstrap": ["b:1", "c:2"], "allowlist": []}` },
  ],
  ["kituo.json in the data folder the environment names", { data: "/e", name: "n" }, [], { KITUO_DATA: "/e" }, {
    "/e/kituo.json": `{"name": "n"}`,
  }],
  [
    "another file, which may name the data folder",
    { data: "/far", logLevel: "debug" },
    ["--config", "/etc/k.json"],
    {},
    {
      "/etc/k.json": `{"data": "/far", "logLevel": "debug"}`,
      "data/kituo.json": `{"name": "not read"}`,
    },
  ],
  [
    "flag over environment over file over default",
    { name: "flag", dhtPort: 2, peerPort: 3, logLevel: "info" },
    [
      "--name",
      "flag",
    ],
    { KITUO_NAME: "env", KITUO_DHT_PORT: "2" },
    {
      "data/kituo.json": `{"name": "file", "dhtPort": 3, "peerPort": 3}`,
    },
  ],
];

for (const [what, wanted, ...from] of good) {
  Deno.test(`taken: ${what}`, () => {
    const { config: _file, ...found } = parse(...from);
    assert.deepEqual(found, { ...parse(), ...wanted });
  });
}

const bad: [string, ...Parameters<typeof parse>][] = [
  [`--dht-port: "x" is not a port`, ["--dht-port", "x"]],
  [`--dht-port: 65536 is not a port`, ["--dht-port", "65536"]],
  [`--dht-port: "-1" is not a port`, ["--dht-port", "-1"]],
  [`--max-file-size: "1X" is not a size`, ["--max-file-size", "1X"]],
  [`--max-file-size: "-1" is not a size`, ["--max-file-size", "-1"]],
  [`e+21 is not a size`, ["--file-quota", "999999999T"]],
  [`--file-retention-days: 99999 is not a number of days`, ["--file-retention-days", "99999"]],
  [`--peer-port: "1e3" is not a port`, ["--peer-port", "1e3"]],
  [`--peer-port: "" is not a port`, ["--peer-port", ""]],
  [`--http: "8042" is not HOST:PORT`, ["--http", "8042"]],
  [`--http: ":8042" is not HOST:PORT`, ["--http", ":8042"]],
  [`--http: "::1:8042" is not HOST:PORT`, ["--http", "::1:8042"]],
  [`--http: "[::g]:1" is not HOST:PORT`, ["--http", "[::g]:1"]],
  [`--http: "[127.0.0.1]:1" is not HOST:PORT`, ["--http", "[127.0.0.1]:1"]],
  [`--http: "300.1.1.1:80" is not HOST:PORT`, ["--http", "300.1.1.1:80"]],
  [`--http: "a b:80" is not HOST:PORT`, ["--http", "a b:80"]],
  [`--http: "-a:80" is not HOST:PORT`, ["--http", "-a:80"]],
  [`--http: "http://a:80" is not HOST:PORT`, ["--http", "http://a:80"]],
  [`--http: "a:65536" is not HOST:PORT`, ["--http", "a:65536"]],
  [`--bootstrap: "b" is not HOST:PORT`, ["--bootstrap", "a:1,b"]],
  [`--bootstrap: "" is not HOST:PORT`, ["--bootstrap", "a:1,"]],
  [`--bootstrap: "a:0" is not HOST:PORT`, ["--bootstrap", "a:0"]],
  [`--bootstrap: more than 64 entries`, [
    "--bootstrap",
    Array.from({ length: 65 }, (_, i) => `h${i}:1`).join(","),
  ]],
  [`--public-address: "example.net" is not an IP address`, ["--public-address", "example.net"]],
  [`--public-address: "0.0.0.0" is not an IP address`, ["--public-address", "0.0.0.0"]],
  [`--public-address: "fe80::1%eth0" is not an IP address`, ["--public-address", "fe80::1%eth0"]],
  [`--name: "" is not a name`, ["--name", " "]],
  [`--name: "a\\nb" is not a name`, ["--name", "a\nb"]],
  [`is not a name`, ["--name", "x".repeat(65)]],
  [`--data: "" is not a path`, ["--data", ""]],
  [`--accept-requests: "all" is not one of manual, allowlist, anyone`, ["--accept-requests", "all"]],
  [`--allowlist: "${ID}0" is not a Jami ID`, ["--allowlist", `${ID}0`]],
  ...["ns.example", "ftp://ns.example", "https://a:b@ns.example", "https://ns.example/?q", "https://", "http://[::"]
    .map((
      url,
    ): [string, string[]] => [`--name-server: ${JSON.stringify(url)} is not the http(s) URL`, ["--name-server", url]]),
  [`--serve-names: "8080" is not HOST:PORT`, ["--serve-names", "8080"]],
  [`--offer-contact: "yes" is not true or false`, ["--offer-contact", "yes"]],
  [`data/kituo.json: offerContact: 1 is not true or false`, [], {}, { "data/kituo.json": `{"offerContact": 1}` }],
  [`--log-level: "loud" is not one of debug, info, warning, error`, ["--log-level", "loud"]],
  [`"--bogus" is not a known flag`, ["--bogus", "1"]],
  [`"--dhtPort" is not a known flag`, ["--dhtPort", "1"]],
  [`"--__proto__" is not a known flag`, ["--__proto__", "1"]],
  [`"extra" is not a flag`, ["extra"]],
  [`"-x" is not a flag`, ["-x"]],
  [`"--" is not a flag`, ["--"]],
  [`--name is given twice`, ["--name", "a", "--name=b"]],
  [`--name needs a value`, ["--name"]],
  [`--name needs a value`, ["--name", "--data", "x"]],
  [`KITUO_HTTP: "x" is not HOST:PORT`, [], { KITUO_HTTP: "x" }],
  [`data/kituo.json: dhtPort: 1.5 is not a port`, [], {}, { "data/kituo.json": `{"dhtPort": 1.5}` }],
  [`data/kituo.json: name: 5 is not a name`, [], {}, { "data/kituo.json": `{"name": 5}` }],
  [`data/kituo.json: bootstrap: {"a":1} is not a list`, [], {}, { "data/kituo.json": `{"bootstrap": {"a":1}}` }],
  [`data/kituo.json: bootstrap: [7] is not a list`, [], {}, { "data/kituo.json": `{"bootstrap": [7]}` }],
  [`data/kituo.json: "dht-port" is not a known key`, [], {}, { "data/kituo.json": `{"dht-port": 1}` }],
  [`data/kituo.json: "config" is not a known key`, [], {}, { "data/kituo.json": `{"config": "a"}` }],
  [`data/kituo.json: "__proto__" is not a known key`, [], {}, { "data/kituo.json": `{"__proto__": 1}` }],
  [`data/kituo.json: "data" has no meaning here`, [], {}, { "data/kituo.json": `{"data": "a"}` }],
  [`data/kituo.json is not JSON`, [], {}, { "data/kituo.json": `{` }],
  [`data/kituo.json: an object`, [], {}, { "data/kituo.json": `[1]` }],
  [`--config: there is no file "/none"`, ["--config", "/none"]],
  [`KITUO_CONFIG: there is no file "/none"`, [], { KITUO_CONFIG: "/none" }],
];

for (const [message, ...from] of bad) {
  Deno.test(`refused: ${message}`, () => {
    assert.throws(() => parse(...from), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.ok(error.message.includes(message), error.message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  });
}

Deno.test("a file that cannot be read is refused in one line", () => {
  assert.throws(
    () =>
      parseConfig([], () => undefined, () => {
        throw new Error("Is a\ndirectory");
      }),
    (error) => error instanceof ConfigError && error.message === `cannot read "data/kituo.json": Is a directory`,
  );
});

Deno.test("whatever stands on the command line gives settings or one line of ConfigError", () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("--name", "--http", "--bootstrap", "--dht-port", "--public-address", "=", "none", "[::1]:1"),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      try {
        parse(argv);
      } catch (error) {
        assert.ok(error instanceof ConfigError && !/[\r\n]/.test(error.message), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("HOST:PORT is read back as it was written", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(
    fc.property(host, fc.integer({ min: 0, max: 65535 }), (host, port) => {
      assert.deepEqual(parseHostPort(formatHostPort({ host, port })), { host, port });
    }),
  );
});

Deno.test("help and version are asked for by their flags", () => {
  assert.equal(asksFor(["--data", "x", "--help"]), "help");
  assert.equal(asksFor(["-h"]), "help");
  assert.equal(asksFor(["--version"]), "version");
  assert.equal(asksFor(["--data", "x"]), null);
});

Deno.test("every setting has a meaning of its own in the help and in docs/operating.md", async () => {
  const flags = configTable().split("\n").map((line) => /^\| `(--[a-z-]+)/.exec(line)?.[1]).filter((f) => f);
  assert.deepEqual(flags, [
    ..."--data --config --link --import-archive --http --console-origin --trusted-proxy --bootstrap --dht-port --peer-port"
      .split(" "),
    ..."--public-address --name --name-server --serve-names --accept-requests".split(" "),
    ..."--allowlist --offer-contact --enforce-modes --blind --picture --max-file-size --file-quota".split(" "),
    ..."--conversation-file-quota --file-retention-days --log-level --log-format --otlp-endpoint".split(" "),
    ..."--backup-dir --backup-every --backup-keep --backup-passphrase-file --backup-files --help --version".split(" "),
  ]);
  for (const flag of flags) assert.match(configHelp(), new RegExp(`^  ${flag}[ ]`, "m"));
  const meanings = configTable().split("\n").map((line) => line.split("|").at(-2)?.trim());
  assert.equal(new Set(meanings).size, meanings.length);
  for (const line of configTable().split("\n")) assert.equal(line.split("|").length, 7, "a bar within a cell");
  const operating = await Deno.readTextFile(new URL("../../../docs/operating.md", import.meta.url));
  assert.ok(operating.includes(configTable()), "the table in docs/operating.md is not that of core/config.ts");
});
