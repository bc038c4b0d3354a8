/**
 * What happens in a soak, and when: a pure function of the seed. The plan keeps its own model of who is in which group, who runs and who is cut off, and never
 * looks at what came of its steps, so that a seed gives the same steps again whatever the machine does.
 */

import { type Random, seededRandom, shuffled } from "../../core/base/random.ts";

/** Who takes part: real daemons, and nodes. */
export interface Cast {
  daemons: readonly string[];
  nodes: readonly string[];
}

/** One thing that somebody does, or that happens to somebody. Groups go by labels: their ids come with the run. */
export type Action =
  | { kind: "create"; by: string; group: string; mode: GroupMode }
  | { kind: "invite" | "ban" | "unban"; by: string; group: string; who: string }
  | { kind: "post" | "reply" | "edit" | "react" | "title"; by: string; group: string; text: string }
  | { kind: "leave"; by: string; group: string }
  | { kind: "kill" | "stop" | "start" | "unplug" | "plug"; who: string }
  | { kind: "cut" | "heal"; who: string; other: string };

/** The modes of groups that a node can make; daemons make the second. */
export type GroupMode = "admin-invites-only" | "invites-only" | "public";

/** What happens after a pause of so many ms. */
export interface Step {
  number: number;
  pause: number;
  actions: Action[];
}

interface Group {
  label: string;
  admin: string;
  mode: GroupMode;
  members: Set<string>;
  banned: Set<string>;
}

/** Something that ends again, at a step. */
interface Trouble {
  until: number;
  parties: string[];
  end: Action;
}

const SHORTEST_PAUSE = 1_000, LONGEST_PAUSE = 3_000; // ms
const FIRST_GROUPS = 3; // made in the first steps
const MAX_GROUPS = 6;
const MAX_DOWN = 2; // of them all at one time, so that there is somebody to go on
const MAX_OFF = 1;
const MAX_CUTS = 3;
const LONGEST_BURST = 8; // texts of one author in one step

/** How often each kind of step is drawn, against the others. */
const WEIGHTS = {
  post: 34,
  say: 10,
  create: 4,
  invite: 14,
  leave: 2,
  ban: 4,
  unban: 4,
  title: 3,
  kill: 7,
  stop: 3,
  unplug: 5,
  cut: 7,
} as const;

type Kind = keyof typeof WEIGHTS;

export class Plan {
  #step = 0;
  #texts = 0;
  #groups: Group[] = [];
  #down: Trouble[] = [];
  #off: Trouble[] = [];
  #cuts: Trouble[] = [];
  #random: Random;

  constructor(private readonly seed: number, private readonly cast: Cast) {
    this.#random = seededRandom(seed);
  }

  /** The next step. */
  next(): Step {
    const number = ++this.#step;
    this.#random = seededRandom(Math.imul(this.seed, 0x9e3779b1) + Math.imul(number, 0x85ebca6b));
    const pause = SHORTEST_PAUSE + this.#random.int(LONGEST_PAUSE - SHORTEST_PAUSE);
    const actions = this.#ends((trouble) => trouble.until <= number);
    actions.push(...number <= FIRST_GROUPS ? this.#create() : this.#draw());
    return { number, pause, actions };
  }

  /** Ends all troubles: everybody runs and reaches everybody. */
  finish(): Action[] {
    return this.#ends(() => true);
  }

  #ends(due: (trouble: Trouble) => boolean): Action[] {
    const ended: Action[] = [];
    const sift = (troubles: Trouble[]) =>
      troubles.filter((trouble) => {
        if (due(trouble)) ended.push(trouble.end);
        return !due(trouble);
      });
    [this.#cuts, this.#off, this.#down] = [sift(this.#cuts), sift(this.#off), sift(this.#down)];
    return ended;
  }

  /** Draws until something is possible: posting is, as long as anybody runs. */
  #draw(): Action[] {
    for (let tries = 0; tries < 50; tries++) {
      const actions = this.#act(this.#kind());
      if (actions.length) return actions;
    }
    return [];
  }

  #kind(): Kind {
    const kinds = Object.entries(WEIGHTS) as [Kind, number][]; // reason: the keys of a literal
    let at = this.#random.int(kinds.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [kind, weight] of kinds) {
      if (at < weight) return kind;
      at -= weight;
    }
    return "post";
  }

  #act(kind: Kind): Action[] {
    if (kind === "create") return this.#create();
    if (kind === "kill" || kind === "stop") return this.#end(kind);
    if (kind === "unplug") return this.#unplug();
    if (kind === "cut") return this.#cut();
    const group = this.#pick(this.#groups);
    if (!group) return [];
    switch (kind) {
      case "post":
        return this.#post(group);
      case "say":
        return this.#say(group);
      case "invite":
        return this.#invite(group);
      case "leave":
        return this.#leave(group);
      case "ban":
        return this.#ban(group);
      case "unban":
        return this.#unban(group);
      case "title":
        return this.#able([group.admin]).map((by) => ({ kind, by, group: group.label, text: this.#text(by) }));
    }
  }

  #create(): Action[] {
    const by = this.#pick(this.#able(this.#everybody()));
    if (!by || this.#groups.length === MAX_GROUPS) return [];
    const modes: GroupMode[] = ["admin-invites-only", "invites-only", "public"];
    const mode = this.#isNode(by) ? modes[this.#random.int(3)] : "invites-only";
    const label = `g${this.#groups.length + 1}`;
    this.#groups.push({ label, admin: by, mode, members: new Set([by]), banned: new Set() });
    // a group without a node is nobody's matter here
    const node = this.#pick(this.cast.nodes.filter((name) => name !== by));
    const first = this.#groups[this.#groups.length - 1];
    if (node) first.members.add(node);
    return [
      { kind: "create", by, group: label, mode },
      ...node ? [{ kind: "invite", by, group: label, who: node } as const] : [],
    ];
  }

  #post(group: Group): Action[] {
    const by = this.#pick(this.#able(group.members));
    if (!by) return [];
    const count = this.#random.int(4) ? 1 : 1 + this.#random.int(LONGEST_BURST);
    return Array.from({ length: count }, () => ({ kind: "post", by, group: group.label, text: this.#text(by) }));
  }

  /** What only a client of a daemon does. */
  #say(group: Group): Action[] {
    const by = this.#pick(this.#able(group.members).filter((name) => !this.#isNode(name)));
    const kinds = ["reply", "edit", "react"] as const;
    const kind = kinds[this.#random.int(kinds.length)];
    return by ? [{ kind, by, group: group.label, text: this.#text(by) }] : [];
  }

  /** Who is in already is invited again now and then: the plan does not know whether the first invitation came to anything. */
  #invite(group: Group): Action[] {
    const isClosed = group.mode === "admin-invites-only" && this.#random.int(4) > 0;
    const by = this.#pick(this.#able(isClosed ? [group.admin] : group.members));
    const others = this.#everybody().filter((name) => name !== by && !group.banned.has(name));
    const absent = others.filter((name) => !group.members.has(name));
    const who = this.#pick(absent.length && this.#random.int(5) ? absent : others);
    if (!by || !who) return [];
    group.members.add(who);
    return [{ kind: "invite", by, group: group.label, who }];
  }

  #leave(group: Group): Action[] {
    const by = this.#pick(this.#able(group.members).filter((name) => name !== group.admin));
    if (!by || group.members.size < 3) return [];
    group.members.delete(by);
    return [{ kind: "leave", by, group: group.label }];
  }

  #ban(group: Group): Action[] {
    const [by] = this.#able([group.admin]);
    const who = this.#pick([...group.members].filter((name) => name !== group.admin));
    if (!by || !who || group.members.size < 3) return [];
    if (this.#isNode(who) && this.#random.int(3)) return [];
    group.members.delete(who);
    group.banned.add(who);
    return [{ kind: "ban", by, group: group.label, who }];
  }

  #unban(group: Group): Action[] {
    const [by] = this.#able([group.admin]);
    const who = this.#pick([...group.banned]);
    if (!by || !who) return [];
    group.banned.delete(who);
    group.members.add(who);
    return [{ kind: "unban", by, group: group.label, who }];
  }

  #end(kind: "kill" | "stop"): Action[] {
    const who = this.#pick(this.#able(this.#everybody()));
    if (!who || this.#down.length === MAX_DOWN) return [];
    this.#down.push({ until: this.#after(1, 12), parties: [who], end: { kind: "start", who } });
    return [{ kind, who }];
  }

  #unplug(): Action[] {
    const who = this.#pick(this.#everybody().filter((name) => !this.#isIn(this.#off, name)));
    if (!who || this.#off.length === MAX_OFF) return [];
    this.#off.push({ until: this.#after(1, 20), parties: [who], end: { kind: "plug", who } });
    return [{ kind: "unplug", who }];
  }

  #cut(): Action[] {
    const [who, other] = shuffled(this.#random, this.#everybody());
    if (this.#cuts.length === MAX_CUTS) return [];
    if (this.#cuts.some(({ parties }) => parties.includes(who) && parties.includes(other))) return [];
    this.#cuts.push({ until: this.#after(2, 30), parties: [who, other], end: { kind: "heal", who, other } });
    return [{ kind: "cut", who, other }];
  }

  /** Those who can do something now: they run, and who is asked over the network (a node) is reached. */
  #able(names: Iterable<string>): string[] {
    return [...names].filter((name) =>
      !this.#isIn(this.#down, name) && !(this.#isNode(name) && this.#isIn(this.#off, name))
    );
  }

  #isIn(troubles: Trouble[], name: string): boolean {
    return troubles.some(({ parties }) => parties.includes(name));
  }

  #isNode(name: string): boolean {
    return this.cast.nodes.includes(name);
  }

  #everybody(): string[] {
    return [...this.cast.daemons, ...this.cast.nodes];
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items.length ? items[this.#random.int(items.length)] : undefined;
  }

  #after(least: number, most: number): number {
    return this.#step + least + this.#random.int(most - least);
  }

  #text(by: string): string {
    return `text ${++this.#texts} of ${by}`;
  }
}
