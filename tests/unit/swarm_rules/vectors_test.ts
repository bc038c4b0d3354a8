/** Every recorded history, valid and hostile, gets the verdict it must get (vectors/swarm, vectors/today). */

import assert from "node:assert/strict";
import { accountIdsOf, readBundle, readJson, verdicts } from "./support.ts";
import { linearNewestFirst } from "../../../core/swarm/order.ts";
import type { Verdict } from "../../../core/swarm/history.ts";

interface VectorCommit {
  id: string;
  parents: string[];
  timestamp: number;
  authorName: string;
  device: string;
  author: string;
  type: string;
  message: string;
  rolesAfter: Record<string, string[] | undefined>;
}

interface VectorHistory {
  conversation: string;
  heads: Record<string, string>;
  linearNewestFirst?: Record<string, string[]>;
  commits: VectorCommit[];
}

function same(verdict: Verdict, expected: VectorCommit): void {
  const { commit, members } = verdict;
  assert.ok(commit && members);
  assert.equal(verdict.reason, null, expected.id);
  assert.equal(verdict.author, expected.author);
  assert.deepEqual(
    [commit.parents, commit.timestamp, commit.authorName, commit.device, commit.type, commit.message],
    [expected.parents, expected.timestamp, expected.authorName, expected.device, expected.type, expected.message],
  );
  const { admins = [], members: plain = [], invited = [], devices = [], banned = [] } = expected.rolesAfter;
  assert.deepEqual(accountIdsOf(members, "admin"), admins.toSorted());
  assert.deepEqual(accountIdsOf(members, "member"), plain.toSorted());
  assert.deepEqual(accountIdsOf(members, "invited"), invited.toSorted());
  assert.deepEqual([...members.devices.keys()].sort(), devices.toSorted());
  const names = [...members.bannedAccounts, ...members.bannedDevices];
  assert.equal(names.length, banned.length);
  for (const name of names) assert.ok(banned.some((file) => file.includes(name)), name);
}

const ORDERED = ["one-to-one", "group", "split-and-merge", "mode1", "mode3"];

for (const name of [...ORDERED, "leave-versus-ban"]) {
  Deno.test(`${name}: every commit is valid, with its author and the roles after it`, async () => {
    const { reader, refs } = await readBundle(`swarm/${name}.bundle`);
    const history = readJson<VectorHistory>(`swarm/${name}.json`);
    const expected = new Map(history.commits.map((commit) => [commit.id, commit]));
    const seen = new Set<string>();
    for (const [ref, head] of refs) {
      const done = new Set<string>();
      for (const verdict of await verdicts(reader, head, history.conversation)) {
        const commit = expected.get(verdict.id);
        assert.ok(commit, `${ref} has ${verdict.id}`);
        assert.ok(commit.parents.every((parent) => done.has(parent)), "parents come first");
        same(verdict, commit);
        done.add(verdict.id);
        seen.add(verdict.id);
      }
    }
    assert.equal(seen.size, expected.size);
  });
}

for (const name of ORDERED) {
  Deno.test(`${name}: the order of display is the daemon's`, () => {
    const history = readJson<VectorHistory>(`swarm/${name}.json`);
    const nodes = new Map(history.commits.map((commit) => [commit.id, commit]));
    const orders = Object.entries(history.linearNewestFirst ?? {});
    assert.ok(orders.length > 0);
    for (const [ref, order] of orders) {
      assert.deepEqual(linearNewestFirst(history.heads[ref], nodes), order, ref);
    }
  });
}

for (const [name, commits] of [["group", 26], ["mixed-with-2023", 6]] as const) {
  Deno.test(`today's ${name}: every commit is valid`, async () => {
    const { reader, refs } = await readBundle(`today/${name}.bundle`);
    const head = refs.get("main") ?? "";
    const root = [...reader.objects.values()].find(({ type, data }) =>
      type === "commit" && !new TextDecoder().decode(data).includes("\nparent ")
    );
    const all = await verdicts(reader, head, root?.oid ?? "");
    assert.deepEqual(all.map(({ reason }) => reason), new Array(commits).fill(null));
  });
}

interface HostileCase {
  name: string;
  head: string;
  commits: VectorCommit[];
  peerToday: { accepted: boolean; error: string | null };
  kituo: "accept" | "refuse";
}

/** What only Kituo refuses, or refuses for a reason of its own. */
const OWN_REASONS: Record<string, string> = {
  remove_of_other: "Member removed by somebody else",
  forged_device_certificate: "Device certificate not signed by its account",
};

Deno.test("hostile histories: refused with the text of today's peers, or Kituo's own; lawful ones accepted", async () => {
  const { reader, refs } = await readBundle("swarm/hostile.bundle");
  const { conversation, base, cases } = readJson<{ conversation: string; base: string; cases: HostileCase[] }>(
    "swarm/hostile.json",
  );
  const known = new Set((await verdicts(reader, base, conversation)).map(({ id }) => id));
  assert.equal(cases.length, 34);
  for (const { name, head, kituo, peerToday, commits } of cases) {
    assert.equal(refs.get(name), head);
    for (const start of [new Set<string>(), known]) {
      const all = await verdicts(reader, head, conversation, (oid) => start.has(oid));
      const refused = all.find((verdict) => !verdict.valid);
      assert.equal(refused === undefined ? "accept" : "refuse", kituo, name);
      assert.equal(refused?.reason ?? null, OWN_REASONS[name] ?? peerToday.error, name);
      assert.equal(all.length, commits.length + (start.size === 0 ? known.size : 0), name);
      assert.equal(all.at(-1)?.valid, kituo === "accept", `${name}: what descends from a refused commit is refused`);
    }
  }
});

Deno.test("hostile initial commits: each conversation gets its verdict", async () => {
  const { reader } = await readBundle("swarm/hostile-initial.bundle");
  const { cases } = readJson<
    { cases: { name: string; conversation: string; acceptedToday: boolean; error: string | null }[] }
  >("swarm/hostile-initial.json");
  for (const { name, conversation, acceptedToday, error } of cases) {
    const [verdict, ...others] = await verdicts(reader, conversation, conversation);
    assert.deepEqual([verdict.valid, verdict.reason, others], [acceptedToday, error, []], name);
  }
});

Deno.test("a good history offered as another conversation is refused from its root on", async () => {
  const { reader, refs } = await readBundle("swarm/mode1.bundle");
  const other = readJson<VectorHistory>("swarm/mode3.json").conversation;
  const all = await verdicts(reader, refs.get("main") ?? "", other);
  assert.ok(all.length > 1 && all.every(({ valid }) => !valid));
});
