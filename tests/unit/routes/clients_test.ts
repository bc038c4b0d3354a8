/** What real clients send, through a real listener: `curl -X POST` names no length, and Deno gives it a body all the same. */

import assert from "node:assert/strict";
import { serve } from "../../../routes/serve.ts";
import { FakeNode, id } from "./fake_node.ts";
import { TOKEN } from "./support.ts";

/** One request on a socket of its own, byte by byte as given; the status and body of the answer. */
async function send(url: URL, line: string, headers: string[] = [], body = ""): Promise<[number, string]> {
  using connection = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
  const head = [`${line} HTTP/1.1`, `Host: ${url.host}`, `Authorization: Bearer ${TOKEN}`, "Connection: close"];
  await connection.write(new TextEncoder().encode(`${[...head, ...headers].join("\r\n")}\r\n\r\n${body}`));
  const answer = await new Response(connection.readable).text();
  return [Number(answer.split(" ")[1]), answer.slice(answer.indexOf("\r\n\r\n") + 4)];
}

async function withFace(test: (url: URL, node: FakeNode) => Promise<void>): Promise<void> {
  const node = new FakeNode();
  const face = serve(node, TOKEN, { host: "127.0.0.1", port: 0 });
  try {
    await test(new URL(face.url), node);
  } finally {
    await face.close();
    await face.finished;
  }
}

const CHUNKED = "Transfer-Encoding: chunked";
const FORM = "Content-Type: application/x-www-form-urlencoded";

const emptyBodies: [string, string[], string][] = [
  ["no length", [], ""],
  ["length 0", ["Content-Length: 0"], ""],
  ["no chunk", [CHUNKED], "0\r\n\r\n"],
  ["no chunk, called a form", [CHUNKED, FORM], "0\r\n\r\n"],
  ["no length, called JSON", ["Content-Type: application/json"], ""],
];

for (const [name, headers, body] of emptyBodies) {
  Deno.test(`POST and DELETE need no body: ${name}`, () =>
    withFace(async (url, node) => {
      for (const word of ["accept", "decline", "block"]) {
        const [request] = new FakeNode().asked.values();
        node.asked.set(request.id, request);
        const [status, text] = await send(url, `POST /api/v1/requests/${id(1)}/${word}`, headers, body);
        assert.equal(status, 200, text);
      }
      await node.addContact(id(1));
      assert.equal((await send(url, `DELETE /api/v1/contacts/${id(1)}`, headers, body))[0], 204);
      assert.equal(node.known.size, 0);
    }));
}

Deno.test("a body that is not called JSON is refused, also one in chunks", () =>
  withFace(async (url, node) => {
    const line = `POST /api/v1/requests/${id(1)}/accept`;
    for (const type of [[FORM], ["Content-Type: text/plain"], []]) {
      assert.equal((await send(url, line, [...type, "Content-Length: 3"], "a=b"))[0], 415);
      assert.equal((await send(url, line, [...type, CHUNKED], "3\r\na=b\r\n0\r\n\r\n"))[0], 415);
      assert.equal((await send(url, "POST /api/v1/contacts", [...type, "Content-Length: 3"], "a=b"))[0], 415);
    }
    assert.equal((await send(url, "POST /api/v1/contacts"))[0], 422);
    assert.equal(node.asked.size, 1);
  }));

Deno.test("a method that a path does not know is refused as such, whatever the body", () =>
  withFace(async (url) => {
    for (const path of [`/api/v1/requests/${id(1)}/accept`, `/api/v1/contacts/${id(1)}`, "/api/v1/node"]) {
      for (const method of ["OPTIONS", "PATCH", "PUT"]) {
        assert.equal((await send(url, `${method} ${path}`))[0], 405, `${method} ${path}`);
        assert.equal((await send(url, `${method} ${path}`, [FORM, "Content-Length: 3"], "a=b"))[0], 405);
      }
    }
    assert.equal((await send(url, "POST /api/v1/nothing", [FORM, "Content-Length: 3"], "a=b"))[0], 404);
  }));
