/** What the tests of the rules need: histories from bundles in memory, and people who can write. */

import { join } from "node:path";
import { text } from "../../../core/base/bytes.ts";
import type { Certificate } from "../../../core/identity/certificate.ts";
import { issueCertificate } from "../../../core/identity/issue.ts";
import type { PrivateKey } from "../../../core/identity/keys.ts";
import { checkHistory, type Verdict } from "../../../core/swarm/history.ts";
import type { Members, Role } from "../../../core/swarm/members.ts";
import { type GitObject, MissingObject, type ObjectReader, type Oid } from "../../../core/swarm/object.ts";
import type { WriteContext, Writer, Written } from "../../../core/swarm/write.ts";
import { git, VECTORS, withFolder } from "../../support/git_vectors.ts";
import { quickKey } from "../identity/hostile.ts";

/** Objects in memory. */
export class MemoryReader implements ObjectReader {
  readonly objects = new Map<Oid, GitObject>();

  constructor(objects: Iterable<GitObject> = []) {
    this.add(objects);
  }

  add(objects: Iterable<GitObject>): void {
    for (const object of objects) this.objects.set(object.oid, object);
  }

  /** The same objects in a reader without memories, some of them replaced. */
  with(objects: Iterable<GitObject>): MemoryReader {
    return new MemoryReader([...this.objects.values(), ...objects]);
  }

  read(oid: Oid): Promise<GitObject> {
    const object = this.objects.get(oid);
    return object ? Promise.resolve(object) : Promise.reject(new MissingObject(oid));
  }

  has(oid: Oid): Promise<boolean> {
    return Promise.resolve(this.objects.has(oid));
  }
}

/** All objects of a bundle below tests/vectors, and its refs. */
export async function readBundle(file: string): Promise<{ reader: MemoryReader; refs: Map<string, Oid> }> {
  const reader = new MemoryReader();
  const refs = new Map<string, Oid>();
  await withFolder(async (folder) => {
    await git(folder, ["clone", "-q", "--mirror", join(VECTORS, file), "r.git"]);
    const bare = join(folder, "r.git");
    for (const line of text(await git(bare, ["for-each-ref", "--format=%(objectname) %(refname:short)"])).split("\n")) {
      const [oid, name] = line.split(" ");
      if (name) refs.set(name, oid);
    }
    reader.add(parseBatch(await git(bare, ["cat-file", "--batch-all-objects", "--batch"])));
  });
  return { reader, refs };
}

function* parseBatch(data: Uint8Array<ArrayBuffer>): Generator<GitObject> {
  for (let at = 0; at < data.length;) {
    const end = data.indexOf(0x0a, at);
    const [oid, type, size] = text(data.subarray(at, end)).split(" ");
    if (type !== "commit" && type !== "tree" && type !== "blob") throw new Error(`unexpected ${type}`);
    yield { oid, type, data: data.slice(end + 1, end + 1 + Number(size)) };
    at = end + 1 + Number(size) + 1;
  }
}

/** A file of vectors as JSON; its shape is what the README beside it says. */
export function readJson<T>(file: string): T {
  return JSON.parse(Deno.readTextFileSync(join(VECTORS, file)));
}

/** All verdicts on a history. */
export async function verdicts(
  reader: ObjectReader,
  head: Oid,
  conversation: Oid,
  known: (oid: Oid) => boolean = () => false,
): Promise<Verdict[]> {
  return await Array.fromAsync(checkHistory(reader, { head, conversation, known }));
}

/** The first refusal's reason, or `null` when all are valid. */
export async function refusal(reader: ObjectReader, head: Oid, conversation: Oid): Promise<string | null> {
  return (await verdicts(reader, head, conversation)).find((verdict) => !verdict.valid)?.reason ?? null;
}

/** When everything in these tests happens. */
export const NOW = Date.parse("2026-11-21T12:00:00Z");

/** A person with one device; quick keys. */
export interface Person extends Writer {
  readonly accountKey: PrivateKey;
  readonly chain: [device: Certificate, account: Certificate, ca: Certificate];
}

/** Makes a person. */
export async function person(now = NOW): Promise<Person> {
  const [caKey, accountKey, key] = await Promise.all([quickKey(), quickKey(), quickKey()]);
  const ca = await issueCertificate({ kind: "ca", subject: caKey.publicKey, issuer: null, signer: caKey, now });
  const account = await issueCertificate({
    kind: "account",
    subject: accountKey.publicKey,
    issuer: ca,
    signer: caKey,
    now,
  });
  return await deviceOf({ accountKey, chain: [account, account, ca] }, key, now);
}

/** Another device of the same account. */
export async function deviceOf(
  owner: Pick<Person, "accountKey" | "chain">,
  key?: PrivateKey,
  now = NOW,
): Promise<Person> {
  const deviceKey = key ?? await quickKey();
  const [, account, ca] = owner.chain;
  const device = await issueCertificate({
    kind: "device",
    subject: deviceKey.publicKey,
    issuer: account,
    signer: owner.accountKey,
    now,
  });
  return {
    accountKey: owner.accountKey,
    account: account.publicKey.id,
    device: deviceKey.publicKey.longId,
    key: deviceKey,
    chain: [device, account, ca],
  };
}

/** A conversation being written by several people, one clock, all objects in one place. */
export class Scene {
  readonly reader = new MemoryReader();
  head: Oid = "";
  now = NOW;

  /** The context of a write on the present head, or another one. */
  as(who: Person, head = this.head): WriteContext {
    this.now += 1000;
    return { reader: this.reader, head, identity: who, displayName: "Somebody", now: this.now };
  }

  /** Keeps what was written without moving the head. */
  async keep<T extends Written>(written: Promise<T>): Promise<T> {
    const result = await written;
    this.reader.add(result.objects);
    return result;
  }

  /** Keeps what was written, as the new head. */
  async put(written: Promise<Written>): Promise<Oid> {
    this.head = (await this.keep(written)).head;
    return this.head;
  }
}

/** The accounts with a role, sorted. */
export function accountIdsOf(members: Members, role: Role): string[] {
  return [...members.roles].filter(([, its]) => its === role).map(([account]) => account).sort();
}
