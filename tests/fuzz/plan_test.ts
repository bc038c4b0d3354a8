import assert from "node:assert/strict";
import { type Action, Plan } from "./plan.ts";

const CAST = { daemons: ["a", "b", "c", "d"], nodes: ["x", "y"] };

function actions(seed: number, steps: number): Action[] {
  const plan = new Plan(seed, CAST);
  return [...Array.from({ length: steps }, () => plan.next().actions).flat(), ...plan.finish()];
}

Deno.test("the same seed gives the same steps, another seed others", () => {
  assert.deepEqual(actions(7, 300), actions(7, 300));
  assert.notDeepEqual(actions(7, 300), actions(8, 300));
});

Deno.test("what is ended, cut off or unplugged comes back, and in a long plan everything happens", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const all = actions(seed, 400);
    const count = (kind: Action["kind"]) => all.filter((action) => action.kind === kind).length;
    assert.equal(count("start"), count("kill") + count("stop"));
    assert.equal(count("plug"), count("unplug"));
    assert.equal(count("heal"), count("cut"));
    const kinds = [
      "create",
      "invite",
      "post",
      "reply",
      "edit",
      "react",
      "title",
      "ban",
      "unban",
      "kill",
      "unplug",
      "cut",
    ] as const;
    for (const kind of kinds) assert.ok(count(kind) > 0, `${kind} with seed ${seed}`);
  }
});
