/** Lays out a history as lanes: which commit stands in which column, and which lines lead on. */

/** A commit, as much as the layout needs. */
export interface Node {
  id: string;
  parents: string[];
}

/** A commit's place. */
export interface Placed {
  id: string;
  lane: number;
  merge: boolean;
  /** lines from this row to the next one: lane here, lane there */
  lines: { from: number; to: number }[];
}

/**
 * Gives each commit a lane. The first parent goes on in the lane of its child, so the main line stays straight.
 * @param nodes newest first, each before its parents
 */
export function branches(nodes: readonly Node[]): { rows: Placed[]; lanes: number } {
  /** which commit each lane waits for; null = the lane is free */
  let waiting: (string | null)[] = [];
  let lanes = 1;
  const rows = nodes.map(({ id, parents }): Placed => {
    const before = [...waiting];
    let lane = before.indexOf(id);
    if (lane < 0) lane = freeLane(before);
    const after = before.map((wanted) => wanted === id ? null : wanted);
    const ends: number[] = [];
    for (const [i, parent] of parents.entries()) {
      let at = after.indexOf(parent);
      if (i === 0 && at > lane) {
        after[at] = null; // the branch ends in the main line, not the other way round
        at = lane;
      } else if (at < 0) at = i === 0 ? lane : freeLane(after);
      after[at] = parent;
      ends.push(at);
    }
    waiting = after.slice(0, after.findLastIndex((wanted) => wanted !== null) + 1);
    lanes = Math.max(lanes, waiting.length, lane + 1);
    const through = before.flatMap((wanted, at) =>
      wanted !== null && wanted !== id ? [{ from: at, to: waiting.indexOf(wanted) }] : []
    );
    return { id, lane, merge: parents.length > 1, lines: [...through, ...ends.map((to) => ({ from: lane, to }))] };
  });
  return { rows, lanes };
}

/** The first lane that nothing waits in. */
function freeLane(lanes: readonly (string | null)[]): number {
  const free = lanes.findIndex((wanted) => wanted === null);
  return free < 0 ? lanes.length : free;
}

/** A line of the graph: a commit, or several in a row with nothing to see. */
export type Row = { kind: "commit"; placed: Placed } | { kind: "fold"; ids: string[] };

/** So many commits in a straight line are drawn as one. */
const FOLD = 4;

/** Puts straight parts together, so that the branches of a long history fit on a page; both ends and the places of splits stay. */
export function folded(rows: readonly Placed[]): Row[] {
  const found: Row[] = [];
  let straight: Placed[] = [];
  const flush = () => {
    if (straight.length >= FOLD) found.push({ kind: "fold", ids: straight.map(({ id }) => id) });
    else found.push(...straight.map((placed): Row => ({ kind: "commit", placed })));
    straight = [];
  };
  rows.forEach((placed, i) => {
    if (i > 0 && i < rows.length - 1 && isStraight(placed) && isStraight(rows[i - 1])) return straight.push(placed);
    flush();
    found.push({ kind: "commit", placed });
  });
  flush();
  return found;
}

function isStraight({ lane, merge, lines }: Placed): boolean {
  return lane === 0 && !merge && lines.length === 1 && lines[0].from === 0 && lines[0].to === 0;
}

/** The commits that a merge joined to those of its first parent, as far as they are among `nodes`. */
export function sideOf({ parents }: Node, nodes: readonly Node[]): string[] {
  const [first, ...others] = parents;
  const main = ancestors([first], nodes);
  return [...ancestors(others, nodes)].filter((id) => !main.has(id));
}

/** @param nodes newest first, each before its parents */
function ancestors(from: readonly string[], nodes: readonly Node[]): Set<string> {
  const wanted = new Set(from), found = new Set<string>();
  for (const { id, parents } of nodes) {
    if (!wanted.has(id)) continue;
    found.add(id);
    parents.forEach((parent) => wanted.add(parent));
  }
  return found;
}
