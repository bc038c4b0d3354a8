import assert from "node:assert/strict";
import fc from "fast-check";
import { text, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import {
  type Candidate,
  candidatePriority,
  formatIceText,
  localCandidates,
  parseIceText,
} from "../../../core/transport/ice_text.ts";
import { mutations, refuses, vector } from "./mutation.ts";

/** Ordinary objects, as the codecs make them. */
const PLAIN = { noNullPrototype: true };
const session = JSON.parse(text(vector("connection/session.json")));
const texts: string[] = [session.request.fields.ice_msg, session.answer.fields.ice_msg];

Deno.test("the recorded ICE texts come out byte for byte", () => {
  for (const ice of texts) assert.equal(formatIceText(parseIceText(ice)), ice);
  const { ufrag, pwd, candidates } = parseIceText(texts[0]);
  assert.deepEqual([ufrag, pwd], [session.a.ufrag, session.a.pwd]);
  assert.deepEqual(candidates.map((c) => [c.type, c.tcpType, c.port]), [
    ["host", "passive", 40565],
    ["host", "active", 9],
    ["srflx", "active", 9],
  ]);
});

Deno.test("priorities are those of the specification", () => {
  assert.equal(candidatePriority("host", 65_535), 2130706431);
  assert.equal(candidatePriority("host", 65_534), 2130706175);
  assert.equal(candidatePriority("srflx", 65_533), 1694498303);
  assert.equal(candidatePriority("relay", 65_535), 16777215);
  assert.equal(candidatePriority("prflx", 65_535), 0x6effffff);
});

const candidate: fc.Arbitrary<Candidate> = fc.record({
  foundation: fc.stringMatching(/^[A-Za-z0-9]{1,31}$/),
  priority: fc.nat(0xffffffff),
  address: fc.oneof(fc.ipV4(), fc.constantFrom("::1", "2001:db8::7", "fe80::1", "::ffff:1.2.3.4")),
  port: fc.nat(65_535),
  type: fc.constantFrom("host", "srflx", "prflx", "relay"),
  tcpType: fc.constantFrom("active", "passive", "so"),
}, PLAIN);

Deno.test("a text parses to what was formatted", () => {
  const ice = fc.record({
    ufrag: fc.stringMatching(/^[A-Za-z0-9+/]{4,20}$/),
    pwd: fc.stringMatching(/^[A-Za-z0-9+/]{22,30}$/),
    candidates: fc.array(candidate, { maxLength: 4 }),
  }, PLAIN);
  fc.assert(fc.property(ice, (i) => assert.deepEqual(parseIceText(formatIceText(i)), i)));
});

Deno.test("damaged texts are refused with a ProtocolError or lose lines", () => {
  for (const bytes of mutations(texts.map(utf8), 1000)) {
    refuses(ProtocolError, () => assert(parseIceText(text(bytes)).candidates.length <= 31));
  }
});

Deno.test("lines that are no TCP candidates are skipped, and those beyond the limits", () => {
  const [ufrag, pwd, first] = texts[0].split("\n");
  const lines = [
    "H1 1 UDP 1 10.0.0.1 1 typ host",
    "H1 2 TCP 1 10.0.0.1 1 typ host tcptype passive",
    "H1 1 TCP 1 999.0.0.1 1 typ host tcptype passive",
    "H1 1 TCP 1 10.0.0.1 65536 typ host tcptype passive",
    "H1 1 TCP 4294967296 10.0.0.1 1 typ host tcptype passive",
    "H1 1 TCP 1 10.0.0.1 1 typ host raddr 1.2.3.4 rport 4 tcptype passive",
    "H1 1 TCP 1 host.example 1 typ host tcptype passive",
    first,
  ];
  assert.equal(parseIceText([ufrag, pwd, ...lines, ""].join("\n")).candidates.length, 1);
  const of = (type: string) => first.replace("typ host", `typ ${type}`);
  const many = [...Array(20).fill(of("host")), ...Array(20).fill(of("relay")), ...Array(40).fill(of("srflx"))];
  const kept = parseIceText([ufrag, pwd, ...many].join("\n")).candidates.map((c) => c.type);
  assert.deepEqual(
    ["host", "relay", "srflx"].map((type) => kept.filter((k) => k === type).length),
    [8, 4, 19],
  );
});

Deno.test("our list: host passive for each own address, and the other public ones passive and active", () => {
  const list = localCandidates(["10.0.0.2", "2001:db8::2"], ["10.0.0.2", "203.0.113.9"], 7000);
  assert.deepEqual(list.map((c) => [c.address, c.port, c.type, c.tcpType, c.priority]), [
    ["10.0.0.2", 7000, "host", "passive", 2130706431],
    ["2001:db8::2", 7000, "host", "passive", 2130706431],
    ["203.0.113.9", 7000, "srflx", "passive", candidatePriority("srflx", 65_535)],
    ["203.0.113.9", 9, "srflx", "active", candidatePriority("srflx", 65_534)],
  ]);
  assert.equal(localCandidates([], [], 7000)[0].tcpType, "passive");
});
