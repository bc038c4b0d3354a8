/**
 * Many members of one conversation in virtual time: each runs Kituo's own overlay node, and what lies below it is simulated with its delays: connections
 * that take a second or fail after thirty, links that die unnoticed, and presence. Messages pass as the bytes of the wire.
 */

import type { Clock } from "../../../core/base/clock.ts";
import { hex } from "../../../core/base/bytes.ts";
import { type Random, seededRandom, shuffled } from "../../../core/base/random.ts";
import type { DeviceId } from "../../../core/identity/ids.ts";
import { decodeDrt, type DrtMessage, encodeDrt, FOUND } from "../../../core/messaging/drt_message.ts";
import { type DrtLink, DrtNode } from "../../../core/messaging/drt_node.ts";

const CONVERSATION = "c".repeat(40);
const NO_SHELF = { all: () => [], put: () => {}, delete: () => {} };
const NO_CERTIFICATES = { known: () => null, issuer: () => null, find: () => Promise.resolve(null) };

const NOTHING: DrtMessage = {
  version: 3,
  isMobile: false,
  selfMobileInfo: null,
  request: null,
  response: null,
  certRequest: null,
  certResponse: null,
};

/** From and to, ms. */
const LATENCY = [10, 150];
const CONNECTING = [300, 2_000]; // DHT request, ICE and TLS
const ATTEMPT = 30_000; // to one who is not there
const UNNOTICED = [0, 32_000]; // until the end of a silent link is seen
const PRESENCE = [200, 3_000]; // until the DHT tells of a member who is announced
const LYING = 60_000; // as much as anybody may tell in a minute
const SCOUTING = 30_000; // a new choice of members to look for, while nobody is connected

/** A virtual clock for many timers: a heap, and nothing to wait for. */
export class HeapClock implements Clock {
  #now = 1_790_000_000_000;
  #count = 0;
  #heap: { at: number; order: number; run: (() => void) | null }[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer: { at: number; order: number; run: (() => void) | null } = {
      at: this.#now + Math.max(0, ms),
      order: this.#count++,
      run,
    };
    this.#heap.push(timer);
    for (let i = this.#heap.length - 1; i > 0;) {
      const parent = (i - 1) >> 1;
      if (!this.#isBefore(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
    return () => void (timer.run = null);
  }

  /** Lets time pass. */
  advance(ms: number): void {
    const end = this.#now + ms;
    while (this.#heap.length && this.#heap[0].at <= end) {
      const { at, run } = this.#heap[0];
      this.#swap(0, this.#heap.length - 1);
      this.#heap.pop();
      this.#sink();
      this.#now = at;
      run?.();
    }
    this.#now = end;
  }

  #sink(): void {
    for (let i = 0;;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === i) return;
      this.#swap(i, least);
      i = least;
    }
  }

  #isBefore(i: number, j: number): boolean {
    const [a, b] = [this.#heap[i], this.#heap[j]];
    return a.at < b.at || a.at === b.at && a.order < b.order;
  }

  #swap(i: number, j: number): void {
    [this.#heap[i], this.#heap[j]] = [this.#heap[j], this.#heap[i]];
  }
}

/** One device of one member. */
export interface Member {
  readonly id: DeviceId;
  readonly node: DrtNode;
  isHere: boolean;
  /** Their ends of the links, by device. */
  readonly links: Map<DeviceId, DrtLink>;
  /** By post: how many hops it took. */
  readonly posts: Map<number, number>;
}

export class DrtWorld {
  readonly clock = new HeapClock();
  readonly random: Random;
  readonly members = new Map<DeviceId, Member>();
  /** Messages of the overlay, and notifications of commits, that were sent. */
  sent = { overlay: 0, notifications: 0 };
  /** Attempts to connect. */
  attempts = 0;
  #posts = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  get here(): Member[] {
    return [...this.members.values()].filter(({ isHere }) => isHere);
  }

  /** A new member comes, and looks for others: for all, or for those who are in `among`. */
  join(among?: Iterable<Member>): Member {
    const id = hex(this.random.bytes(32));
    const member: Member = {
      id,
      node: new DrtNode({
        conversation: CONVERSATION,
        self: id,
        clock: this.clock,
        random: this.random,
        isMember: () => true,
        certificates: NO_CERTIFICATES,
        shelf: NO_SHELF,
        connect: (device) => this.#connect(member, device),
        isLinked: (device) => member.links.has(device),
      }),
      isHere: true,
      links: new Map(),
      posts: new Map(),
    };
    this.members.set(id, member);
    this.#scout(member, among);
    return member;
  }

  /** From now on a member keeps a connection with everybody whom it can reach, as Kituo does (swarm-sync.md 8.2). */
  reachAll(member: Member): void {
    for (const other of this.here) if (other !== member && !member.links.has(other.id)) this.#dial(member, other.id);
    this.clock.after(SCOUTING, () => this.reachAll(member));
  }

  /** From now on a member tells all that are connected of `count` devices that nobody has, again and again. */
  lie(member: Member, count: number): void {
    const nodes = Array.from({ length: count }, () => hex(this.random.bytes(32)));
    for (const link of member.links.values()) {
      link.send({ ...NOTHING, response: { query: FOUND, nodes, mobileNodes: [], mobileNodeInfos: [] } });
    }
    this.clock.after(LYING, () => this.lie(member, count));
  }

  /** Members are gone without a word. */
  vanish(members: Iterable<Member>): void {
    for (const member of members) {
      member.isHere = false;
      member.node.stop();
      for (const device of member.links.keys()) {
        const other = this.#member(device);
        this.#later(UNNOTICED, () => {
          if (other.isHere && other.links.delete(member.id)) other.node.down(member.id);
        });
      }
    }
  }

  /** A member writes: whoever hears of it first tells all that are connected but the one it came from (swarm-sync.md 2.1). */
  post(author: Member): number {
    const post = this.#posts++;
    this.#hear(author, post, 0);
    return post;
  }

  /** The groups into which the connections between those who are here divide them: one, if all can reach each other. */
  components(): Member[][] {
    const left = new Set(this.here);
    const found: Member[][] = [];
    for (const first of left) {
      const group = [first];
      left.delete(first);
      for (const { node } of group) {
        for (const device of node.connected) {
          const other = this.#member(device);
          if (left.delete(other)) group.push(other);
        }
      }
      found.push(group);
    }
    return found;
  }

  /** How many connected nodes each has who is here. */
  degrees(): number[] {
    return this.here.map(({ node }) => node.connected.length).sort((a, b) => a - b);
  }

  #hear(member: Member, post: number, hops: number, from?: DeviceId): void {
    if (!member.isHere || member.posts.has(post)) return;
    member.posts.set(post, hops);
    for (const device of member.node.connected) {
      if (device === from) continue;
      this.sent.notifications++;
      this.#later(LATENCY, () => this.#hear(this.#member(device), post, hops + 1, member.id));
    }
  }

  /** Follows some members while nobody is connected (swarm-sync.md 5.3), as a peer does that cannot follow all. */
  #scout(member: Member, among?: Iterable<Member>): void {
    if (!member.isHere) return;
    this.clock.after(SCOUTING, () => this.#scout(member, among));
    if (member.node.connected.length > 0) return;
    const others = [...among ?? this.members.values()].filter((other) => other !== member);
    const followed = Math.min(others.length, 2 + Math.floor(Math.log2(others.length + 1)));
    for (const other of shuffled(this.random, others).slice(0, followed)) {
      if (other.isHere) this.#later(PRESENCE, () => member.isHere && member.node.propose(other.id));
    }
  }

  /** A connection for other reasons: the overlay hears of it, and uses it. */
  #dial(member: Member, device: DeviceId): void {
    this.#later(CONNECTING, () => {
      const other = this.#member(device);
      if (member.isHere && other.isHere) this.#link(member, other);
    });
  }

  #connect(member: Member, device: DeviceId): void {
    this.attempts++;
    const other = this.members.get(device);
    const fail = () => member.isHere && member.node.failed(device);
    if (!other?.isHere) return void this.clock.after(ATTEMPT, fail);
    this.#later(CONNECTING, () => {
      if (!member.isHere) return;
      if (!other.isHere) return void this.clock.after(ATTEMPT, fail);
      this.#link(member, other);
    });
  }

  /** Two who ask each other at the same moment have one link here: a second channel changes nothing. */
  #link(a: Member, b: Member): void {
    if (a.links.has(b.id) && b.links.has(a.id)) return;
    const [toB, toA] = [this.#end(a, b), this.#end(b, a)];
    a.links.set(b.id, toB);
    b.links.set(a.id, toA);
    b.node.up(toA); // the acceptor has it first
    a.node.up(toB);
  }

  /** The end of a link at `mine`. */
  #end(mine: Member, theirs: Member): DrtLink {
    return {
      account: theirs.id.slice(0, 40),
      device: theirs.id,
      chain: [],
      send: (message) => {
        this.sent.overlay++;
        const bytes = encodeDrt(message);
        this.#later(LATENCY, () => {
          const link = theirs.links.get(mine.id);
          if (theirs.isHere && link) theirs.node.receive(decodeDrt(bytes), link);
        });
      },
    };
  }

  #later([from, to]: number[], run: () => void): void {
    this.clock.after(from + this.random.float() * (to - from), run);
  }

  #member(device: DeviceId): Member {
    const member = this.members.get(device);
    if (!member) throw new Error(`${device} was never here`);
    return member;
  }
}
