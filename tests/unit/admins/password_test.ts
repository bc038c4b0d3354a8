import assert from "node:assert/strict";
import fc from "fast-check";
import { checkPassword, FULL_COST, hashPassword, verifyPassword } from "../../../core/admins/password.ts";
import { seededRandom, systemRandom } from "../../../core/base/random.ts";
import { CHEAP, fault } from "./support.ts";

const WORDS = ["Asha Wanjiru", "Kituo cha Pwani"];

for (
  const bad of [
    "",
    "elevenchars",
    "aaaaaaaaaaaaaaaa",
    "abcabcabcabcabcabc",
    "123456789012",
    "0987654321098765",
    "1q2w3e4r5t6y",
    "qazwsxedcrfv",
    "qwertzuiopasdfghjkl",
    "P4ssw0rdP4ssw0rd2026!",
    "Password1234!",
    "  passwordpassword ",
    "iloveyou12345678",
    "correct horse battery staple",
    "asha wanjiru",
    "Asha-Wanjiru-2026",
    "Kituo cha Pwani",
    "kituochapwani",
    "\ud800 not unicode at all",
    "x".repeat(300),
  ]
) {
  Deno.test(`refused as a password: ${JSON.stringify(bad.slice(0, 40))}`, () => {
    assert.throws(() => checkPassword(bad, WORDS), fault("unfit"));
  });
}

for (
  const good of [
    "zebra monsoon ladder",
    "k7$Vq2!mZ9xW",
    "mia und der wolf im heu",
    "asha likes green tea on rainy days",
    "ndizi mbichi sokoni",
    "пять синих китов поют",
    "青い空と白い雲の下で昼寝する",
  ]
) {
  Deno.test(`taken as a password: ${JSON.stringify(good)}`, () => checkPassword(good, WORDS));
}

Deno.test("a password is the same however it was typed, and no other is", async () => {
  const phc = await hashPassword("Zürich im Spätherbst", systemRandom, CHEAP);
  assert.ok(await verifyPassword(phc, "Zürich im Spätherbst".normalize("NFD")));
  assert.ok(!await verifyPassword(phc, "Zurich im Spatherbst"));
  assert.ok(!await verifyPassword(phc, ""));
});

Deno.test("a hash says how it was made, and no two are alike", async () => {
  const [one, other] = await Promise.all([1, 2].map(() => hashPassword("zebra", systemRandom, FULL_COST)));
  assert.match(one, /^\$argon2id\$v=19\$m=65536,t=3,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.notEqual(one, other);
  assert.ok(await verifyPassword(one, "zebra"));
});

Deno.test("what is no hash is nobody's password", async () => {
  for (const phc of ["", "zebra", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=8,t=1,p=1$$"]) {
    assert.equal(await verifyPassword(phc, "zebra"), false);
  }
  const phc = await hashPassword("zebra", seededRandom(1), CHEAP);
  assert.equal(await verifyPassword(phc.slice(0, -22), "zebra"), false);
});

Deno.test("each password opens its own hash only", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (password, other) => {
      const phc = await hashPassword(password, systemRandom, CHEAP);
      assert.ok(await verifyPassword(phc, password));
      assert.equal(await verifyPassword(phc, other), other.normalize("NFKC") === password.normalize("NFKC"));
    }),
    { numRuns: 50 },
  );
});

Deno.test("more than can be hashed at a time and wait are refused, and those who wait are served", async () => {
  const results = await Promise.allSettled(Array.from({ length: 30 }, () => hashPassword("z", systemRandom, CHEAP)));
  const refused = results.filter((result) => result.status === "rejected");
  assert.equal(refused.length, 8);
  assert.ok(refused.every(({ reason }) => fault("too many")(reason)));
});
