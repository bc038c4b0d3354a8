import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { NameServerClient, NameServerError } from "../../../core/account/name_client.ts";
import { NameServer } from "../../../core/account/name_server.ts";
import { Names } from "../../../core/account/names.ts";
import {
  FREE_NAME_KEPT_MS,
  NAME_CHECKS,
  NAME_CHECKS_QUEUE,
  NAME_KEPT_MS,
  NAME_SERVER_REST_MS,
  NAMELESS_KEPT_MS,
} from "../../../core/account/constants.ts";
import { base64, utf8 } from "../../../core/base/bytes.ts";
import type { Archive } from "../../../core/identity/archive.ts";
import { newEthereumKey } from "../../../core/identity/ethereum.ts";
import { NameError, registerRequest } from "../../../core/identity/names.ts";
import { migrate } from "../../../core/store/migrations.ts";
import { NameAnswers, RegisteredNames } from "../../../core/store/names.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";
import { KEYS } from "../identity/hostile.ts";
import { vectorText } from "../identity/vectors.ts";

const [ASHA, JUMA] = KEYS;
const BOB = JSON.parse(vectorText("nameserver-register-request.json"));

/** A name server that answers as `answer` says; the paths it was asked for. */
async function withServer(
  answer: (request: Request) => Response | Promise<Response>,
  test: (url: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    return answer(request);
  });
  await test(`http://127.0.0.1:${server.addr.port}`, asked);
}

/** Runs `test` with the names of that server, and what it needs. */
function withNames(
  answer: (request: Request) => Response | Promise<Response>,
  test: (names: Names, around: { clock: VirtualClock; asked: string[]; answers: NameAnswers }) => Promise<void>,
): Promise<void> {
  return withServer(answer, async (url, asked) => {
    using db = new DatabaseSync(":memory:");
    migrate(db);
    const clock = new VirtualClock(), answers = new NameAnswers(db);
    const names = new Names(url, answers, clock);
    try {
      await test(names, { clock, asked, answers });
    } finally {
      await names.stop();
    }
  });
}

/** A name server that knows these records by name, signed or not. */
function serving(records: Record<string, { addr: string; publickey?: string; signature?: string }>) {
  return ({ url }: Request): Response => {
    const [, kind, what] = new URL(url).pathname.split("/");
    if (kind === "name") return records[what] ? Response.json({ name: what, ...records[what] }) : missing();
    const found = Object.entries(records).find(([, { addr }]) => addr === what);
    return found ? Response.json({ name: found[0] }) : missing();
  };
}

function missing(): Response {
  return Response.json({ error: "not registered" }, { status: 404 });
}

const SIGNED = { bobspare: { addr: BOB.addr, publickey: BOB.publickey, signature: BOB.signature } };

Deno.test("a signed name is found both ways, whatever its case, and asked for once", () =>
  withNames(serving(SIGNED), async (names, { asked }) => {
    assert.equal(await names.accountOf("BobSpare"), BOB.addr);
    assert.equal(await names.accountOf("bobspare"), BOB.addr);
    assert.equal(await names.nameOf(BOB.addr), "bobspare");
    assert.equal(await names.nameOf(BOB.addr), "bobspare");
    assert.equal(names.known(BOB.addr), "bobspare");
    assert.deepEqual(asked, ["GET /name/bobspare", `GET /addr/${BOB.addr}`]);
  }));

Deno.test("answers expire: names after days, the lack of one sooner", () =>
  withNames(serving(SIGNED), async (names, { clock, asked }) => {
    const nobody = "0".repeat(39) + "1";
    const askAll = async () => {
      await names.accountOf("bobspare");
      assert.equal(await names.accountOf("free"), null);
      assert.equal(await names.nameOf(nobody), null);
      return asked.splice(0);
    };
    assert.deepEqual(await askAll(), ["GET /name/bobspare", "GET /name/free", `GET /addr/${nobody}`]);
    assert.deepEqual(await askAll(), []);
    await clock.advance(FREE_NAME_KEPT_MS);
    assert.deepEqual(await askAll(), ["GET /name/free"]);
    await clock.advance(NAMELESS_KEPT_MS);
    assert.deepEqual(await askAll(), ["GET /name/free", `GET /addr/${nobody}`]);
    await clock.advance(NAME_KEPT_MS);
    assert.deepEqual((await askAll()).length, 3);
  }));

Deno.test("who asks for the same at the same time asks once", () =>
  withNames(serving(SIGNED), async (names, { asked }) => {
    await Promise.all(Array.from({ length: 20 }, () => names.accountOf("bobspare")));
    assert.equal(asked.length, 1);
  }));

Deno.test("a name that an account did not sign, or that is another's, is not its name", async () => {
  const forged = { ...SIGNED.bobspare, addr: ASHA.publicKey.id };
  await withNames(serving({ bobspare: forged }), async (names) => {
    await assert.rejects(names.accountOf("bobspare"), { fault: "not valid" });
    await assert.rejects(names.nameOf(ASHA.publicKey.id), { fault: "not valid" });
  });
  // the server says that Asha is called bobspare, and that bobspare is Bob
  const lying = (request: Request) =>
    request.url.includes("/addr/") ? Response.json({ name: "bobspare" }) : serving(SIGNED)(request);
  await withNames(lying, async (names) => assert.equal(await names.nameOf(ASHA.publicKey.id), null));
});

Deno.test("for the display a name is looked up in the background, and told when it comes", () =>
  withNames(serving(SIGNED), async (names, { asked, clock }) => {
    const learnt = names.once("learnt");
    assert.equal(names.known(BOB.addr), "");
    assert.equal(names.known(BOB.addr), "");
    assert.deepEqual(await learnt, { account: BOB.addr, name: "bobspare" });
    assert.equal(names.known(BOB.addr), "bobspare");
    assert.equal(asked.length, 2);
    await clock.advance(NAME_KEPT_MS);
    assert.equal(names.known(BOB.addr), "bobspare", "an old answer is better than none");
  }));

Deno.test("a server that fails is left alone for a while, and old answers stay", () => {
  let up = false;
  return withNames((request) => up ? serving(SIGNED)(request) : new Response(null, { status: 503 }), async (names, {
    asked,
    clock,
    answers,
  }) => {
    names.known(BOB.addr);
    await assert.rejects(names.nameOf(BOB.addr), { fault: "unavailable" }); // waits its turn after the one in the background
    asked.length = 0;
    up = true;
    names.known(ASHA.publicKey.id);
    assert.equal(await names.accountOf("bobspare"), BOB.addr);
    assert.deepEqual(asked, ["GET /name/bobspare"], "only what somebody waits for");
    await clock.advance(NAME_SERVER_REST_MS);
    const learnt = names.once("learnt");
    names.known(BOB.addr);
    assert.equal((await learnt).name, "bobspare");
    assert.equal(answers.get("elsewhere", BOB.addr), undefined);
  });
});

Deno.test("a server that says nothing is given up after its time", async () => {
  const arrived = Promise.withResolvers<void>(), never = Promise.withResolvers<Response>();
  await withNames(() => (arrived.resolve(), never.promise), async (names, { clock }) => {
    const answer = assert.rejects(names.accountOf("slow"), { fault: "unavailable" });
    await arrived.promise;
    await clock.advance(60_000);
    await answer;
    never.resolve(new Response());
  });
});

Deno.test("names that would lead elsewhere are not asked for", () =>
  withNames(serving(SIGNED), async (names, { asked }) => {
    for (const name of ["", ".", "..", "a/b", "a?b", "a#b", "a b", "x".repeat(65), "\0", BOB.addr, "a@b"]) {
      await assert.rejects(names.accountOf(name), NameError, name);
    }
    assert.deepEqual(asked, []);
    assert.equal(await names.accountOf("été"), null);
    assert.deepEqual(asked, ["GET /name/%C3%A9t%C3%A9"]);
  }));

const huge = () =>
  new Response(
    new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(0x20)) }),
  );

const nonsense: [string, () => Response][] = [
  ["no JSON", () => new Response("<html>")],
  ["no object", () => Response.json([1])],
  ["nothing", () => new Response(null)],
  ["an endless answer", huge],
  ["a redirect", () => Response.redirect("http://127.0.0.1:1/", 302)],
  ["wrong types", () => Response.json({ addr: 1, name: { x: 1 } })],
  ["no account", () => Response.json({ addr: "0x1234", name: "a\nb" })],
  ["bytes that are not UTF-8", () => new Response(Uint8Array.of(0xff, 0xfe))],
];
for (const [what, answer] of nonsense) {
  Deno.test(`nonsense of a name server is refused: ${what}`, () =>
    withNames(answer, async (names) => {
      await assert.rejects(names.accountOf("bobspare"), NameServerError);
      await assert.rejects(names.nameOf(BOB.addr), NameServerError);
    }));
}

Deno.test("mutations of an answer give the account or an error of the name server, never anything else", () => {
  const good = utf8(JSON.stringify({ name: "bobspare", ...SIGNED.bobspare }));
  let bytes = good;
  return withServer(() => new Response(bytes), async (url) => {
    const client = new NameServerClient(url, new VirtualClock());
    const mutation = fc.tuple(fc.nat(good.length - 1), fc.nat(255), fc.nat(20));
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), async (changes) => {
        bytes = good.slice();
        for (const [at, byte, cut] of changes) {
          bytes[at] = byte;
          if (cut === 0) bytes = bytes.slice(0, at + 1);
          if (bytes.length < good.length) break;
        }
        const account = await client.accountOf("bobspare").catch((error) => {
          assert.ok(error instanceof NameServerError, String(error));
          return null;
        });
        // a record that lost its signature is taken on the server's word
        if (account !== null && /"publickey":"[^"]+".*"signature":"[^"]+"/.test(new TextDecoder().decode(bytes))) {
          assert.equal(account, BOB.addr);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

/** An archive as far as names need it. */
function archiveOf(accountKey: Archive["accountKey"]): Archive {
  return {
    accountKey,
    accountChain: [],
    caKey: null,
    ethereumKey: newEthereumKey(),
    revocations: null,
    contacts: {},
    conversations: {},
    conversationRequests: {},
    settings: {},
  };
}

Deno.test("the node's name is registered as the specification says, and known from then on", () => {
  let sent: Record<string, string> = {};
  return withNames(async (request) => {
    sent = await request.json();
    return Response.json({ success: true });
  }, async (names, { asked }) => {
    assert.equal(await names.register("Kituo-1", archiveOf(ASHA)), "kituo-1");
    assert.deepEqual(asked, ["POST /name/kituo-1"]);
    assert.deepEqual(Object.keys(sent), ["addr", "owner", "signature", "publickey"]);
    assert.equal(await ASHA.publicKey.verify(utf8("kituo-1"), Uint8Array.fromBase64(sent.signature)), true);
    assert.equal(names.known(ASHA.publicKey.id), "kituo-1");
    assert.equal(await names.accountOf("KITUO-1"), ASHA.publicKey.id);
    assert.equal(asked.length, 1);
    await assert.rejects(names.register("a b", archiveOf(ASHA)), NameError);
    await assert.rejects(names.register("abc", { ...archiveOf(ASHA), ethereumKey: null }), NameError);
  });
});

const refusals: [number, unknown, string][] = [
  [400, { success: false }, "refused"],
  [401, { success: false }, "refused"],
  [403, { success: false }, "taken"],
  [409, null, "taken"],
  [200, { success: false }, "taken"],
  [429, null, "unavailable"],
  [302, null, "unavailable"],
  [500, null, "unavailable"],
];
for (const [status, body, fault] of refusals) {
  Deno.test(`a registration answered with ${status} ${JSON.stringify(body)} is ${fault}, and nothing is remembered`, () =>
    withNames(() => Response.json(body, { status }), async (names, { answers }) => {
      await assert.rejects(names.register("kituo", archiveOf(ASHA)), { fault });
      assert.equal(answers.get("kituo", "kituo"), undefined);
      assert.equal(names.known(ASHA.publicKey.id), "");
    }));
}

/** A name server over an empty table. */
async function withRegistrar(test: (server: NameServer) => Promise<void>, most?: number): Promise<void> {
  using db = new DatabaseSync(":memory:");
  migrate(db);
  await test(new NameServer(new RegisteredNames(db), new VirtualClock(), most));
}

Deno.test("names are given out first come, first served, one for each account, and only signed", () =>
  withRegistrar(async (server) => {
    const asha = await registerRequest("asha", ASHA, newEthereumKey());
    assert.equal(await server.register("BobSpare", BOB), "registered");
    assert.equal(await server.register("bobspare", BOB), "registered", "again");
    assert.equal(await server.register("ASHA", { ...asha, addr: `0x${asha.addr.toUpperCase()}` }), "registered");
    assert.equal(await server.register("bobspare", await registerRequest("bobspare", JUMA, newEthereumKey())), "taken");
    assert.equal(await server.register("asha-2", await registerRequest("asha-2", ASHA, newEthereumKey())), "taken");
    assert.equal(await server.register("asha", BOB), "not signed");
    assert.equal(await server.register("bobspare", { ...BOB, signature: asha.signature }), "not signed");
    assert.equal(await server.register("bobspare", { ...BOB, publickey: base64(utf8("key")) }), "not signed");
    assert.equal(await server.register("bob spare", BOB), "not a name");
    for (const key of ["addr", "owner", "signature", "publickey"]) {
      for (const value of [undefined, "", 1, null, {}]) {
        assert.equal(await server.register("bobspare", { ...BOB, [key]: value }), "incomplete", `${key} ${value}`);
      }
    }
    for (const body of [null, undefined, "text", 1, []]) {
      assert.equal(await server.register("bobspare", body), "incomplete");
    }
    assert.equal(server.byName("ASHA")?.account, ASHA.publicKey.id);
    assert.equal(server.byAccount(BOB.addr)?.name, "bobspare");
    assert.equal(server.byName("asha-2"), undefined);
  }));

Deno.test("two who ask for one name at the same time: one gets it", () =>
  withRegistrar(async (server) => {
    const bodies = await Promise.all([ASHA, JUMA].map((key) => registerRequest("simba", key, newEthereumKey())));
    const results = await Promise.all(bodies.map((body) => server.register("simba", body)));
    assert.deepEqual(results.sort(), ["registered", "taken"]);
  }));

Deno.test("when there is no room for names nobody is added, and who is there stays", () =>
  withRegistrar(async (server) => {
    assert.equal(await server.register("bobspare", BOB), "registered");
    assert.equal(await server.register("asha", await registerRequest("asha", ASHA, newEthereumKey())), "busy");
    assert.equal(await server.register("bobspare", BOB), "registered");
  }, 1));

Deno.test("of a flood of registrations only so many are checked", () =>
  withRegistrar(async (server) => {
    const results = await Promise.all(Array.from({ length: 100 }, () => server.register("bobspare", BOB)));
    assert.equal(results.filter((result) => result === "registered").length, NAME_CHECKS + NAME_CHECKS_QUEUE);
    assert.equal(results.filter((result) => result === "busy").length, 100 - NAME_CHECKS - NAME_CHECKS_QUEUE);
  }));

Deno.test("mutations of a registration never register anything else than what is signed", () =>
  withRegistrar(async (server) => {
    const good = utf8(JSON.stringify(BOB));
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = good.slice();
        bytes[at] = byte;
        let body: unknown;
        try {
          body = JSON.parse(new TextDecoder().decode(bytes));
        } catch {
          return;
        }
        const result = await server.register("bobspare", body);
        assert.ok(["registered", "incomplete", "not signed"].includes(result), result);
      }),
      { numRuns: 1_000 },
    );
    const kept = server.byName("bobspare");
    if (kept) assert.deepEqual([kept.account, server.byAccount(BOB.addr)?.name], [BOB.addr, "bobspare"]);
  }));
