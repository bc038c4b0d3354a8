import assert from "node:assert/strict";
import { addToIndex, replaceIndex } from "../../../core/swarm/commit_index.ts";
import type { NewCommit } from "../../../core/store/commits.ts";
import { openStore, type Store } from "../../../core/store/store.ts";
import { withPath, withStore } from "../store/support.ts";
import { CONVERSATION, entriesIn, historyOf, line, openIn } from "./index_support.ts";

/** Everybody's words: author and entry, one line each, oldest first. */
function lines(store: Store, entriesOnly = true): string[] {
  return entriesIn(store, entriesOnly).map(({ author, entry }) => `${author.slice(0, 4)} ${line(entry)}`);
}

/** What a person sees of each valid history of the vectors. */
const expected: Record<string, string[]> = {
  "swarm/one-to-one.bundle main": [
    "ebe4 join ebe4",
    'c3ba edited "hello from alice (edited)" was "hello from alice"', // the thumb was taken back
    'ebe4 text "hi from bob — ünïcödé 😀 "quoted" \\ back/slash\nsecond line"',
    'c3ba text "a reply" > f5bc',
    'ebe4 deleted "" was "to be deleted"',
    'c3ba file "note.txt" 140 _6344338558701126.txt',
    'c3ba file "reply note.txt" 140 _5419235093312827.txt > f5bc',
    "c3ba call to ebe4 5055",
    "c3ba call to ebe4 0",
    "c3ba call to ebe4 0",
  ],
  "swarm/group.bundle main": [
    "c3ba profile",
    'c3ba text "alone"',
    "c3ba add ebe4",
    "ebe4 join ebe4",
    'ebe4 text "bob is in"',
    "ebe4 add 5790",
    "5790 join 5790",
    '5790 text "carol is in"',
    "c3ba add d4ad",
    'c3ba text "dave is invited"',
    "c3ba vote d4ad",
    "c3ba ban d4ad",
    "c3ba vote d4ad",
    "c3ba unban d4ad",
    "c3ba vote 5790",
    "c3ba ban 5790",
    '5790 text "carol says something though banned"',
    'ebe4 text "carol was banned"',
    "c3ba vote 5790",
    "c3ba unban 5790",
    'c3ba text "welcome back carol"',
    '5790 text "carol again"',
    "d4ad join d4ad",
    "d4ad join d4ad",
    'c3ba text "alice from her laptop"',
    'c3ba text "settle"',
    "c3ba profile",
    "c3ba profile",
    'c3ba text "after profile conflict"',
    'c3ba text "laptop after profile conflict"',
    "d4ad remove d4ad",
    '5790 text "dave left?"',
    "c3ba call of c3ba 4012", // the start, which knows of its end
    "c3ba call of c3ba 4012",
  ],
  "swarm/split-and-merge.bundle main": [
    "c3ba add ebe4",
    "ebe4 join ebe4",
    "c3ba add 5790",
    "5790 join 5790",
    'c3ba text "before the split"',
    'c3ba text "alice 1 (split)"',
    'ebe4 text "bob 1 (split)"',
    'c3ba text "alice 2 (split)"',
    '5790 text "carol 1 (split)"',
    'ebe4 text "bob 2 (split)"',
    'c3ba text "after the split"',
    'ebe4 text "bob after"',
  ],
  "swarm/leave-versus-ban.bundle merged": [
    "c3ba add ebe4",
    "ebe4 join ebe4",
    "c3ba add 5790",
    "5790 join 5790",
    'c3ba text "base"',
    "c3ba vote 5790",
    "c3ba ban 5790",
    "5790 remove 5790",
    'c3ba text "alice back"',
    'ebe4 text "bob says"',
  ],
  "swarm/mode1.bundle main": ["5790 add ebe4", "ebe4 join ebe4", "ebe4 add c3ba", "c3ba join c3ba"],
  "swarm/mode3.bundle main": ["5790 add ebe4", "ebe4 join ebe4", "ebe4 add c3ba", "c3ba join c3ba"],
  "today/group.bundle main": [
    "873b add c5ca",
    "c5ca join c5ca",
    "873b add 9240",
    "9240 join 9240",
    '873b edited "first, edited" was "first" 👍9240',
    'c5ca text "a reply" > 847e',
    'c5ca deleted "" was "to delete"',
    '873b file "file.txt" 1000 _5979191164293226.txt',
    "873b profile",
    "873b add 41a5",
    "41a5 join 41a5",
    "873b vote 41a5",
    "873b ban 41a5",
    "873b vote 41a5",
    "873b unban 41a5",
    "9240 remove 9240",
    'c5ca text "cc b"',
    '873b text "cc a"',
    "873b call of 873b 6004",
    "873b call of 873b 6004",
    '873b text "from a2"',
  ],
  "today/mixed-with-2023.bundle main": [
    "6285 join 6285",
    'd483 text "from today 1"',
    '6285 text "from 2023 1"',
    'd483 text "from today 2"',
  ],
};

for (const [name, wanted] of Object.entries(expected)) {
  Deno.test(`entries: ${name}, taken in at once, one by one, and again`, async () => {
    const { head, rows } = await historyOf(...split(name));
    await withPath((path) => {
      const store = openStore(path);
      openIn(store);
      addToIndex(store, CONVERSATION, head, rows);
      assert.deepEqual(lines(store), wanted);
      replaceIndex(store, CONVERSATION, head, rows);
      assert.deepEqual(lines(store), wanted);
      assert.equal(lines(store, false).length, rows.length, "the raw list leaves nothing out");
      store.close();
    });
    await withStore((store) => {
      openIn(store);
      // every step that ends where all so far are below one commit: what a peer could have had as its head
      let pending: NewCommit[] = [];
      const tips = new Set<string>();
      for (const row of rows) {
        pending.push(row);
        for (const parent of row.parents) tips.delete(parent);
        tips.add(row.id);
        if (tips.size > 1) continue;
        addToIndex(store, CONVERSATION, row.id, pending);
        pending = [];
      }
      assert.deepEqual(pending, []);
      assert.deepEqual(lines(store), wanted);
    });
  });
}

Deno.test("entries: one-to-one, in full, with what only changes others", async () => {
  const { head, rows } = await historyOf("swarm/one-to-one.bundle", "main");
  await withStore((store) => {
    openIn(store);
    addToIndex(store, CONVERSATION, head, rows);
    const all = new Map(entriesIn(store, false).map(({ id, entry }) => [id.slice(0, 4), entry]));
    const hello = "c134b7c69f43899282c86039742aef9ecd581112";
    const reaction = "43ff8faafa5d27784f661d8f63ab692e04a6a18d";
    assert.deepEqual(all.get("127f"), { kind: "initial", mode: 0 });
    assert.deepEqual(all.get("c134"), {
      kind: "text",
      text: "hello from alice (edited)",
      edited: true,
      deleted: false,
      history: [{ text: "hello from alice", timestamp: 1795210742 }],
      replyTo: null,
      reactions: [],
    });
    assert.deepEqual(all.get("6e16"), { kind: "edit", target: hello, text: "hello from alice (edited)" });
    assert.deepEqual(all.get("43ff"), { kind: "reaction", target: hello, body: "" });
    assert.deepEqual(all.get("fd7b"), { kind: "edit", target: reaction, text: "" });
    assert.deepEqual(all.get("69d5"), {
      kind: "file",
      file: {
        fileId: `${[...rows].find(({ id }) => id.startsWith("69d5"))?.id}_5419235093312827.txt`,
        name: "reply note.txt",
        size: 140,
        sha3: "0907a8a50d836775fc70c6c3a901ae3971b560524cca50bec5a4e3c19098c9165e75959e0b0abafd7c6f5d4e87e056c6f0db" +
          "194a380638ca6e385812d9a5ecff",
        deleted: false,
      },
      replyTo: "f5bc3c017ed2ca5870825650f2d86f37015807c0",
      reactions: [],
    });
    assert.deepEqual(all.get("4c0d"), {
      kind: "call",
      call: {
        duration: 5055,
        active: false,
        host: null,
        device: null,
        confId: null,
        to: "ebe42371527bbedd5b882060f081eae6123d235c",
        reason: null,
      },
    });
  });
});

/** The bundle and the ref in a name. */
function split(name: string): [string, string] {
  const [file, ref] = name.split(" ");
  return [file, ref];
}
