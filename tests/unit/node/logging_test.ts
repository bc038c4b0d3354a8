import assert from "node:assert/strict";
import type { LogLevel, LogRecord } from "@logtape/logtape";
import { ProtocolError } from "../../../core/base/errors.ts";
import { jsonLine } from "../../../core/logging.ts";

function line(level: LogLevel, error: unknown): { message: string; level: string; properties: { error: unknown } } {
  const record: LogRecord = {
    category: ["kituo", "test"],
    level,
    message: ["fetching ", "abc", " failed: ", error, ""],
    rawMessage: "fetching {id} failed: {error}",
    properties: { id: "abc", error },
    timestamp: 0,
  };
  const text = jsonLine(record);
  assert.equal(text.trimEnd().split("\n").length, 1);
  return JSON.parse(text);
}

Deno.test("log lines: the message is readable as it stands", () => {
  assert.equal(line("info", "no answer").message, "fetching abc failed: no answer");
  for (const level of ["debug", "info", "warning", "error"] as const) {
    assert.equal(line(level, new TypeError("too late")).message, "fetching abc failed: too late");
  }
});

Deno.test("log lines: a stack is there while debugging and for faults of our own, else the error's message", () => {
  const own = new TypeError("too late");
  for (const level of ["info", "warning"] as const) assert.equal(line(level, own).properties.error, "too late");
  for (const level of ["debug", "error"] as const) assert.equal(line(level, own).properties.error, own.stack);
  for (const others of [new ProtocolError("pkt-line", "too long"), new Deno.errors.AddrInUse("taken")]) {
    assert.equal(line("error", others).properties.error, others.message);
    assert.equal(line("debug", others).properties.error, others.stack);
  }
});
