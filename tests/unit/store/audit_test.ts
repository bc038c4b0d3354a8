import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { AuditEvent } from "../../../core/store/audit.ts";
import { openStore } from "../../../core/store/store.ts";
import { withPath, withStore } from "./support.ts";

function event(n: number, action = "member.ban"): AuditEvent {
  return { actor: n % 2 ? "admin" : "system", address: "192.0.2.1", action, target: `t${n}`, detail: "because" };
}

Deno.test("audit: events are kept in order, numbered, and found by who, what and to whom", () =>
  withStore(({ audit }) => {
    for (let n = 1; n <= 5; n++) audit.append(event(n, n === 5 ? "members.list" : undefined), n);
    assert.deepEqual(audit.list({}, 2).map(({ seq, at }) => [seq, at]), [[5, 5], [4, 4]]);
    assert.deepEqual(audit.list({ before: 4, actor: "admin" }, 9).map(({ seq }) => seq), [3, 1]);
    assert.deepEqual(audit.list({ action: "member." }, 9).map(({ seq }) => seq), [4, 3, 2, 1]);
    assert.deepEqual(audit.list({ action: "members.list" }, 9).map(({ seq }) => seq), [5]);
    assert.deepEqual(audit.list({ target: "t2" }, 9).map(({ seq, detail }) => [seq, detail]), [[2, "because"]]);
    const [last] = audit.list({}, 1);
    assert.deepEqual(audit.verify(), { rows: 5, head: last.hash, broken: null });
  }));

Deno.test("audit: nothing is changed or removed, and whoever does it beside us is found out", () =>
  withPath((path) => {
    for (
      const [tampering, broken] of [
        ["UPDATE audit SET detail = 'other' WHERE seq = 2", 2],
        ["DELETE FROM audit WHERE seq = 2", 3],
        ["UPDATE audit SET at = at + 1 WHERE seq = 3", 3],
        ["UPDATE audit SET seq = seq - 1 WHERE seq > 0", 0],
      ] as const
    ) {
      const store = openStore(path);
      for (let n = 1; n <= 3; n++) store.audit.append(event(n));
      store.close();
      const db = new DatabaseSync(path);
      assert.throws(() => db.exec(tampering), /append-only/);
      db.exec(`DROP TRIGGER audit_kept; DROP TRIGGER audit_fixed; ${tampering}`);
      db.close();
      const after = openStore(path);
      assert.equal(after.audit.verify().broken, broken);
      after.close();
      Deno.removeSync(path);
    }
  }));
