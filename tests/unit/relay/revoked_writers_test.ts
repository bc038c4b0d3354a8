/** Commits of revoked devices: told once, and no more than that. */

import assert from "node:assert/strict";
import { RevokedWriters } from "../../../core/relay/revoked_writers.ts";
import { RevocationList } from "../../../core/identity/revocation.ts";
import { Certificate } from "../../../core/identity/certificate.ts";
import { expected, vector, vectorText } from "../identity/vectors.ts";
import { commit, id, withStore } from "../store/support.ts";

Deno.test("a commit of a revoked device alerts the admin once; those of its account's other devices never", () =>
  withStore((store) => {
    const list = RevocationList.fromDer(vector("crl.der"));
    const account: string = expected.ids.account_id;
    const [revoked, sound] = ["revoked-device-chain.pem", "chain.pem"].map((name) => {
      const [{ publicKey: { longId, id: shortId } }] = Certificate.listFromPem(vectorText(name));
      store.certificates.put({ device: longId, shortId, account, chainPem: vectorText(name), seen: 1 });
      return longId;
    });
    const writers = new RevokedWriters(store, (of) => of === account ? [list] : []);
    const alerts = () => store.audit.list({ action: "commit.alert" }, 10).map(({ target }) => target);
    const row = (n: number, device: string, author = account) => ({ ...commit(id(1), n), device, author });
    writers.look([row(1, sound), row(2, "f".repeat(64)), row(3, revoked, "")]);
    assert.deepEqual(alerts(), []);
    writers.look([row(4, sound), row(5, revoked), row(6, revoked)]);
    writers.look([row(7, revoked)]);
    assert.deepEqual(alerts(), [`${id(1)}/${id(5)}`]);
    writers.look([{ ...row(8, revoked), conversation: id(2) }]);
    assert.deepEqual(alerts(), [`${id(2)}/${id(8)}`, `${id(1)}/${id(5)}`]);
  }));
