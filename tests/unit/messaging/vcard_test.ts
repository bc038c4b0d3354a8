import assert from "node:assert/strict";
import fc from "fast-check";
import { type Bytes, concat, fromBase64, text, utf8 } from "../../../core/base/bytes.ts";
import { asBytes, decode } from "../../../core/base/msgpack.ts";
import { isVcard, pictureOf, vcardName, writeVcard } from "../../../core/messaging/vcard.ts";
import { mutate, vector } from "./support.ts";

/** What 2023's daemon sent of itself. */
function recorded(): Bytes {
  const rows = text(vector("sync/profile-push.jsonl")).trim().split("\n").map((line) => JSON.parse(line));
  const row = rows.find(({ note }) => note === "file bytes");
  const frame = decode(fromBase64(row.frame_b64));
  assert(Array.isArray(frame));
  return asBytes(frame[1], "frame");
}

Deno.test("vcard: the recorded one is read, and written byte for byte", () => {
  const vcard = recorded();
  assert.equal(vcard.length, 182);
  assert.ok(isVcard(vcard));
  assert.equal(vcardName(vcard), "Alice Example");
  const [, photo] = /PHOTO;ENCODING=BASE64;TYPE=PNG:(\S+)/.exec(text(vcard)) ?? [];
  const picture = pictureOf(fromBase64(photo));
  assert.equal(picture?.type, "PNG");
  assert.deepEqual(writeVcard("Alice Example", picture), vcard);
});

Deno.test("vcard: names in other forms", () => {
  const named = (...lines: string[]) => vcardName(utf8(["BEGIN:VCARD", ...lines, "END:VCARD"].join("\n")));
  assert.equal(named("FN:Asha"), "Asha");
  assert.equal(named("VERSION:4.0", "FN;CHARSET=UTF-8: Åsa  "), "Åsa");
  assert.equal(named("N:x", "fn:lower"), "lower");
  assert.equal(named("FN:a:b"), "a:b");
  assert.equal(named("FNX:no", "XFN:no"), "");
  assert.equal(named("FN:"), "");
  assert.equal(named(`FN:${"x".repeat(1_000)}`).length, 128);
  assert.equal(vcardName(new Uint8Array()), "");
  assert.ok(!isVcard(new Uint8Array()));
  assert.ok(!isVcard(utf8("BEGIN:VCARDIGAN\nEND:VCARD")));
  assert.ok(!isVcard(recorded().slice(0, -1)));
});

Deno.test("vcard: pictures are known by their first bytes", () => {
  assert.equal(pictureOf(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0))?.type, "JPEG");
  assert.equal(pictureOf(utf8("<svg/>")), null);
  assert.equal(pictureOf(new Uint8Array()), null);
});

Deno.test("vcard: any name comes back, but for controls and blanks around it", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (name) => {
    const shown = name.toWellFormed().replace(/\p{Cc}+/gu, " ").trim().slice(0, 128).toWellFormed();
    assert.equal(vcardName(writeVcard(name)), shown);
    assert.ok(isVcard(writeVcard(name)));
  }));
});

Deno.test("vcard: mutated ones give some short name without controls", () => {
  mutate([recorded(), writeVcard("Asha"), concat(utf8("FN:"), Uint8Array.of(0xf0, 0x9f))], (bytes) => {
    const name = vcardName(bytes);
    assert.ok(name.length <= 128 && !/\p{Cc}/u.test(name) && name.isWellFormed());
  });
});
