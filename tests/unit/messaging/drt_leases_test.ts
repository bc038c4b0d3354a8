import assert from "node:assert/strict";
import { type Bytes, utf8 } from "../../../core/base/bytes.ts";
import type { Certificate } from "../../../core/identity/certificate.ts";
import {
  DRT_CERT_TIMEOUT,
  DRT_MAX_CERT_IDS,
  DRT_MAX_PENDING_LEASES,
  LEASE_LONGEST,
  LEASE_SKEW,
} from "../../../core/messaging/constants.ts";
import { LeaseBook, type LeaseSource } from "../../../core/messaging/drt_leases.ts";
import { decodeLease, encodeLease, type Lease, leasePayload } from "../../../core/messaging/drt_message.ts";
import { secondDevice, type TestIdentity, testIdentity, until } from "../../support/people.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const DAY = 24 * 60 * 60; // s
const CONVERSATION = "c".repeat(40);

const [mona, mike, gus] = await Promise.all([testIdentity(NOW), testIdentity(NOW), testIdentity(NOW)]);
const monaToo = await secondDevice(mona, NOW);

/** A lease of a device, good but for the changes. */
async function lease(of: TestIdentity, changes: Partial<Lease> = {}, signer = of): Promise<Lease> {
  const issuedAt = changes.issuedAt ?? NOW / 1000;
  const unsigned: Lease = {
    formatVersion: 1,
    conversation: CONVERSATION,
    issuer: of.account,
    device: of.device,
    issuedAt,
    expiresAt: issuedAt + 20 * DAY,
    signature: new Uint8Array(),
    ...changes,
  };
  return { ...unsigned, signature: changes.signature ?? await signer.key.sign(leasePayload(unsigned)) };
}

const info = (lease: Lease) => ({ id: lease.device, lease });

interface Setup {
  known?: TestIdentity[];
  onDht?: TestIdentity[];
  members?: TestIdentity[];
  kept?: Bytes[];
}

function bookOf({ known = [], onDht = [], members = [mona, mike, gus], kept = [] }: Setup = {}) {
  const clock = new VirtualClock(NOW);
  const shelf = new Map(kept.map((bytes) => [decodeLease(bytes).device, bytes]));
  const lookedFor: string[] = [];
  const mobile: string[] = [];
  const chainIn = (people: TestIdentity[], device: string): Certificate[] | null =>
    people.find((person) => person.device === device)?.chain ?? null;
  const book = new LeaseBook({
    conversation: CONVERSATION,
    clock,
    isMember: (account) => members.some((member) => member.account === account),
    certificates: {
      known: (device) => chainIn(known, device),
      issuer: (account) => members.find((member) => member.account === account)?.chain.slice(1) ?? null,
      find: (device) => {
        lookedFor.push(device);
        return Promise.resolve(chainIn(onDht, device));
      },
    },
    shelf: {
      all: () => [...shelf.values()].map(decodeLease),
      put: (lease) => void shelf.set(lease.device, encodeLease(lease)),
      delete: (device) => void shelf.delete(device),
    },
    onMobile: (device) => mobile.push(device),
  });
  const settled = () => until("all leases are checked", () => book.checking === 0);
  return { book, clock, shelf, lookedFor, mobile, settled };
}

/** Gus, who gossips; what he is asked for. */
function gossiper(asked: string[][] = []): LeaseSource {
  return { device: gus.device, chain: gus.chain, askCertificates: (devices) => asked.push(devices) };
}

Deno.test("leases: a device's own lease makes it mobile, is kept, passed on, and ends with its time", async () => {
  const { book, clock, shelf, mobile, settled } = bookOf();
  const own = await lease(mona);
  book.offer([info(own)], { device: mona.device, chain: mona.chain, askCertificates: () => {} });
  await settled();
  assert.deepEqual([book.devices(), mobile], [[mona.device], [mona.device]]);
  assert.deepEqual(book.announce([mona.device, mike.device]), [info(own)]);
  const again = bookOf({ kept: [...shelf.values()] });
  assert.deepEqual(again.book.announce(again.book.devices()), [info(own)]);
  await clock.advance(20 * DAY * 1000);
  assert.deepEqual([book.devices(), book.isMobile(mona.device)], [[], false]);
  book.prune();
  assert.equal(shelf.size, 0);
});

Deno.test("leases: of two the one that lasts longer stands", async () => {
  const { book, settled } = bookOf({ known: [mona] });
  const [long, short] = await Promise.all([lease(mona), lease(mona, { expiresAt: NOW / 1000 + DAY })]);
  for (const one of [short, long, short]) {
    book.offer([info(one)], gossiper());
    await settled();
  }
  assert.deepEqual(book.announce([mona.device]), [info(long)]);
});

Deno.test("leases: each check of the specification refuses", async () => {
  const now = NOW / 1000;
  const bad: [string, Promise<Lease>][] = [
    ["another version", lease(mona, { formatVersion: 2 })],
    ["another conversation", lease(mona, { conversation: "d".repeat(40) })],
    ["a stranger's account", lease(mona, { issuer: "e".repeat(40) })],
    ["another member's account", lease(mona, { issuer: mike.account })],
    ["no signature", lease(mona, { signature: new Uint8Array() })],
    ["not what was signed", lease(mona, { signature: utf8("x".repeat(256)) })],
    ["signed by another device", lease(mona, {}, mike)],
    ["from the future", lease(mona, { issuedAt: now + LEASE_SKEW + 1 })],
    ["run out", lease(mona, { issuedAt: now - 20 * DAY, expiresAt: now })],
    ["too long", lease(mona, { expiresAt: now + LEASE_LONGEST + 1 })],
    ["ends before it begins", lease(mona, { issuedAt: now + 10, expiresAt: now + 5 })],
  ];
  const { book, settled } = bookOf({ known: [mona, mike] });
  for (const [what, one] of bad) {
    book.offer([info(await one)], gossiper());
    await settled();
    assert.deepEqual(book.devices(), [], what);
  }
  const good = await lease(mona, { issuedAt: now + LEASE_SKEW, expiresAt: now + LEASE_SKEW + LEASE_LONGEST });
  book.offer([{ id: mike.device, lease: good }, { id: mona.device, lease: null }], gossiper());
  await settled();
  assert.deepEqual(book.devices(), [], "under another's name");
  book.offer([info(good)], gossiper());
  await settled();
  assert.deepEqual(book.devices(), [mona.device]);
});

Deno.test("leases: a lease that outlasts its certificate is refused", async () => {
  const { book, clock, settled } = bookOf({ known: [mona] });
  const end = mona.chain[0].notAfter;
  await clock.advance(end - DAY * 1000 - NOW);
  const issuedAt = Math.floor(clock.now() / 1000);
  book.offer([info(await lease(mona, { issuedAt, expiresAt: Math.floor(end / 1000) + 1 }))], gossiper());
  await settled();
  assert.deepEqual(book.devices(), []);
  book.offer([info(await lease(mona, { issuedAt, expiresAt: Math.floor(end / 1000) }))], gossiper());
  await settled();
  assert.deepEqual(book.devices(), [mona.device]);
});

Deno.test("leases: who tells of an unknown device is asked for its certificate, once; what it does not give the DHT may", async () => {
  const { book, lookedFor, settled } = bookOf({ onDht: [monaToo] });
  const asked: string[][] = [];
  const leases = await Promise.all([lease(mona), lease(mike), lease(monaToo)]);
  book.offer(leases.map(info), gossiper(asked));
  book.offer(leases.map(info), gossiper(asked));
  assert.deepEqual(asked, [[mona.device, mike.device, monaToo.device]]);
  book.answered([mona.chain[0].der], mike.device); // who was not asked
  assert.equal(book.checking, 3);
  book.answered([utf8("no certificate"), gus.chain[0].der, mona.chain[0].der], gus.device);
  assert.deepEqual(lookedFor, [mike.device, monaToo.device]);
  await settled();
  assert.deepEqual(new Set(book.devices()), new Set([mona.device, monaToo.device]));
  book.answered([mike.chain[0].der], gus.device); // too late
  await settled();
  assert.ok(!book.isMobile(mike.device));
});

Deno.test("leases: a peer that does not answer is waited for ten seconds", async () => {
  const { book, clock, lookedFor, settled } = bookOf({ onDht: [mona] });
  book.offer([info(await lease(mona))], gossiper());
  await clock.advance(DRT_CERT_TIMEOUT - 1);
  assert.deepEqual(lookedFor, []);
  await clock.advance(1);
  await settled();
  assert.deepEqual(book.devices(), [mona.device]);
});

Deno.test("leases: a flood of them is bounded, and asks for no more certificates than one question may", async () => {
  const { book, settled, lookedFor } = bookOf();
  const asked: string[][] = [];
  const one = await lease(mona);
  const flood = Array.from({ length: 128 }, (_, n) => info({ ...one, device: n.toString(16).padStart(64, "0") }));
  book.offer(flood, gossiper(asked));
  assert.equal(book.checking, DRT_MAX_PENDING_LEASES);
  assert.equal(asked.length, 1);
  assert.equal(asked[0].length, DRT_MAX_CERT_IDS);
  assert.equal(lookedFor.length, DRT_MAX_PENDING_LEASES - DRT_MAX_CERT_IDS);
  book.answered([], gus.device);
  await settled();
  assert.deepEqual(book.devices(), []);
  book.stop();
});

Deno.test("leases: certificates are given of devices that we told of, and of no others", async () => {
  const { book, settled } = bookOf({ known: [mona, mike, gus] });
  book.offer([info(await lease(mona)), info(await lease(mike))], gossiper());
  await settled();
  book.announce([mona.device]);
  assert.deepEqual(book.certificates([gus.device, mike.device, mona.device]), [mona.chain[0].der]);
  book.drop(mona.device);
  assert.deepEqual(book.certificates([mona.device]), []);
});

Deno.test("leases: those of a device that is no member's any more end", async () => {
  const members = [mona, gus];
  const { book, shelf, settled } = bookOf({ known: [mona], members });
  book.offer([info(await lease(mona))], gossiper());
  await settled();
  members.shift();
  assert.deepEqual(book.devices(), []);
  book.prune();
  assert.equal(shelf.size, 0);
});
