import assert from "node:assert/strict";
import { join } from "node:path";
import { text } from "../../../core/base/bytes.ts";
import { ConfigError } from "../../../core/config.ts";
import { ownVcard } from "../../../core/node_profile.ts";

const JPEG = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0);

Deno.test("own profile: the name alone, or with a picture; what is none ends the start with one line", async () => {
  assert.equal(text(await ownVcard({ name: "Kituo" })), "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Kituo\r\nEND:VCARD");
  const folder = await Deno.makeTempDir();
  try {
    const picture = join(folder, "picture");
    const shown = () => ownVcard({ name: "Kituo", picture });
    await assert.rejects(shown, ConfigError);
    await Deno.writeFile(picture, JPEG);
    assert.match(text(await shown()), /^PHOTO;ENCODING=BASE64;TYPE=JPEG:\/9j\/4A==\r$/m);
    await Deno.writeTextFile(picture, "<svg/>");
    await assert.rejects(shown, /neither PNG nor JPEG/);
    await Deno.writeFile(picture, new Uint8Array(256 * 1024 + 1));
    await assert.rejects(shown, /more than 256 KiB/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
