import assert from "node:assert/strict";
import fc from "fast-check";
import { concat, equal, utf8 } from "../../../core/base/bytes.ts";
import { ProtocolError } from "../../../core/base/errors.ts";
import {
  encodeSip,
  header,
  parameter,
  respond,
  type SipMessage,
  type SipRequest,
  SipStream,
  userOf,
} from "../../../core/messaging/sip_message.ts";
import { messageParts } from "../../../core/messaging/sip_multipart.ts";
import { bytesArb, mutate, pieces, record, vector, vectors } from "./support.ts";

const FOLDER = "sync/sip";

function parse(bytes: Uint8Array): SipMessage[] {
  return new SipStream().push(bytes);
}

function request(text: string): SipRequest {
  const [message] = parse(utf8(text));
  assert(message?.kind === "request");
  return message;
}

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/).filter((name) => !/^(l|content-length)$/i.test(name));
const line = fc.string({ unit: "grapheme", maxLength: 40 }).map((s) => s.trim()).filter((s) =>
  !/[\r\n\0\ufffd]/.test(s)
);
const headersArb = fc.array(fc.tuple(token, line), { maxLength: 12 });
const message: fc.Arbitrary<SipMessage> = fc.oneof(
  record({
    kind: fc.constant("request" as const),
    method: token,
    uri: fc.webUrl(),
    headers: headersArb,
    body: bytesArb(200),
  }),
  record({
    kind: fc.constant("response" as const),
    status: fc.integer({ min: 100, max: 699 }),
    reason: line,
    headers: headersArb,
    body: bytesArb(200),
  }),
);

Deno.test("sip: decoding what was encoded gives it back, wherever the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
      (messages, cuts) => {
        const stream = new SipStream();
        const out = [...pieces(concat(...messages.map(encodeSip)), cuts)].flatMap((chunk) => stream.push(chunk));
        assert.deepEqual(out, messages);
      },
    ),
  );
});

Deno.test("sip: every vector is one message that encodes to the same bytes", () => {
  const all = vectors(FOLDER);
  assert.equal(all.length, 7);
  for (const [name, bytes] of all) {
    const messages = parse(bytes);
    assert.equal(messages.length, 1, name);
    assert(equal(encodeSip(messages[0]), bytes), name);
  }
});

Deno.test("sip: the requests of the vectors name their sender, type and token", () => {
  const [message] = parse(vector(`${FOLDER}/application_im-gitmessage-id.bin`));
  assert(message.kind === "request");
  assert.equal(message.method, "MESSAGE");
  assert.equal(userOf(header(message, "from") ?? ""), "ea4e1b719a078181de95456e6c35f2aafca0645d");
  assert.equal(header(message, "message-id"), "000fe84a21f68027");
  assert.deepEqual(messageParts(message).map(({ type }) => type), ["application/im-gitmessage-id"]);
  for (const [name, bytes] of vectors(FOLDER).filter(([name]) => name !== "200-ok.bin")) {
    const [message] = parse(bytes);
    assert(message.kind === "request");
    const [part] = messageParts(message);
    assert(name.startsWith(part.type.replaceAll(/[/+]/g, (c) => c === "/" ? "_" : "-")), name);
  }
});

Deno.test("sip: the answer to the invitation is the daemon's own 200", () => {
  const [invite] = parse(vector(`${FOLDER}/application_invite-json.bin`));
  assert(invite.kind === "request");
  const answer = respond(invite, 200, "OK", "10.105.0.1:40281");
  assert(answer && equal(encodeSip(answer), vector(`${FOLDER}/200-ok.bin`)));
});

Deno.test("sip: without Via, From or To there is no answer", () => {
  const lines = ["Via: SIP/2.0/TLS a:1;branch=z", "From: <sip:a@b>", "To: <sip:c@d>"];
  const text = (kept: string[]) => `MESSAGE sip:a SIP/2.0\r\n${[...kept, "l: 0"].join("\r\n")}\r\n\r\n`;
  assert(respond(request(text(lines)), 200, "OK", "1.2.3.4:5"));
  for (const missing of lines) {
    assert.equal(respond(request(text(lines.filter((l) => l !== missing))), 200, "OK", "1.2.3.4:5"), null);
  }
});

Deno.test("sip: compact names, folded lines, lower case and empty lines between messages are understood", () => {
  const message = request(
    "\r\n\r\nMESSAGE sip:a SIP/2.0\r\nv:SIP/2.0/TLS a:1\r\n ;branch=z9\r\nF: <sip:u@h>\r\nSUBJECT :x\r\nc: text/plain\r\nL:2\r\n\r\nhi",
  );
  assert.equal(parameter(header(message, "via") ?? "", "branch"), "z9");
  assert.equal(userOf(header(message, "from") ?? ""), "u");
  assert.equal(header(message, "subject"), "x");
  assert.deepEqual(messageParts(message), [{ type: "text/plain", body: "hi" }]);
});

Deno.test("sip: the user of an address is what stands in the brackets, not in the name", () => {
  assert.equal(userOf('"<sip:evil@x>" <sip:good@y>;tag=1'), "good");
  assert.equal(userOf('"a\\" <sip:evil@x>" <sips:good@y>'), "good");
  assert.equal(userOf("sip:bare@host;tag=1"), "bare");
  assert.equal(userOf("<tel:1>"), null);
  assert.equal(userOf(""), null);
});

Deno.test("sip: what breaks the framing is refused", () => {
  const bad = [
    "MESSAGE sip:a SIP/2.0\r\n\r\n", // no Content-Length: nobody knows where it ends
    "MESSAGE sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\n",
    "MESSAGE sip:a SIP/2.0\r\nl: -1\r\n\r\n",
    "MESSAGE sip:a SIP/2.0\r\nl: 70000\r\n\r\n",
    "MESSAGE sip:a SIP/2.0\r\nl: 0x1\r\n\r\n",
    "MESSAGE sip:a SIP/3.0\r\nl: 0\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "MESSAGE sip:a SIP/2.0\r\nno colon\r\nl: 0\r\n\r\n",
    "MESSAGE sip:a SIP/2.0\r\nX: a\nb\r\nl: 0\r\n\r\n",
    `MESSAGE sip:a SIP/2.0\r\n${"X: y\r\n".repeat(100)}l: 0\r\n\r\n`,
    "x".repeat(10_000),
  ];
  for (const text of bad) assert.throws(() => parse(utf8(text)), ProtocolError, JSON.stringify(text.slice(0, 60)));
});

Deno.test("sip: a body at the limit comes whole, byte by byte too", () => {
  const head = "MESSAGE sip:a SIP/2.0\r\nl: ";
  const length = 64 * 1024 - (head.length + 5 + 4);
  const bytes = utf8(`${head}${length}\r\n\r\n${"x".repeat(length)}`);
  const stream = new SipStream();
  const out = [...pieces(bytes, [1])].flatMap((chunk) => stream.push(chunk));
  assert.deepEqual(out.map((m) => m.body.length), [length]);
});

const multipart = (boundary: string, body: string) =>
  request(
    `MESSAGE sip:a SIP/2.0\r\nc: multipart/mixed; boundary=${boundary}\r\nl: ${utf8(body).length}\r\n\r\n${body}`,
  );

Deno.test("sip: the parts of a multipart body come sorted by type", () => {
  const body = "preamble\r\n--b\r\nContent-Type: text/plain\r\n\r\nhi\r\nthere\r\n--b\r\n" +
    "content-type: application/invite\r\nX: y\r\n\r\n{}\r\n--b--\r\n";
  const parts = [{ type: "application/invite", body: "{}" }, { type: "text/plain", body: "hi\r\nthere" }];
  assert.deepEqual(messageParts(multipart("b", body)), parts);
  assert.deepEqual(messageParts(multipart('"b"', body.slice("preamble\r\n".length))), parts);
});

Deno.test("sip: broken bodies are refused", () => {
  const part = "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n";
  for (const body of ["", "hi", part, "--b--", "--b\r\nno end\r\n--b--", part.repeat(20) + "--b--"]) {
    assert.throws(() => messageParts(multipart("b", body)), ProtocolError, body.slice(0, 40));
  }
  const plain = (type: string, body: Uint8Array) =>
    messageParts({ ...request(`MESSAGE sip:a SIP/2.0\r\nc: ${type}\r\nl: 0\r\n\r\n`), body: new Uint8Array(body) });
  assert.throws(() => plain("text/plain", Uint8Array.of(0xff)), ProtocolError);
  assert.throws(() => plain("text", utf8("hi")), ProtocolError);
  assert.throws(() => plain("multipart/mixed", utf8("hi")), ProtocolError);
  assert.deepEqual(plain("text/plain ; charset=utf-8", utf8("hi")), [{ type: "text/plain;charset=utf-8", body: "hi" }]);
});

Deno.test("sip: mutated messages are read or refused with a ProtocolError", () => {
  const multi = encodeSip(multipart("b", "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\n\r\nx\r\n--b--"));
  mutate([...vectors(FOLDER).map(([, bytes]) => bytes), multi], (bytes) => {
    for (const message of parse(bytes)) {
      if (message.kind !== "request") continue;
      userOf(header(message, "from") ?? "");
      respond(message, 200, "OK", "1.2.3.4:5");
      messageParts(message);
    }
  });
});
