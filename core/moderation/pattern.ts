/**
 * Regular expressions of admins, run on texts of strangers: JavaScript's own would let one text stop the node for hours (a backtracking engine takes time
 * exponential in the length). This one reads the text once, in all states at a time (Thompson's construction): states × characters, and not more. It has no
 * look-around and no back references, which need the other way. Case never counts.
 */

import { type Node, parsePattern, PatternError } from "./pattern_syntax.ts";

/** States that all patterns of a node may have together. */
export const MAX_STATES = 1_000;

/** One step of the machine. */
type Step =
  | { kind: "char"; test: (char: string) => boolean }
  | { kind: "split"; to: number[] }
  | { kind: "assert"; what: "start" | "end" | "word" | "no word" }
  | { kind: "match" };

/** A compiled pattern. */
export class Pattern {
  private constructor(private readonly steps: readonly Step[]) {}

  /** @throws {PatternError} */
  static compile(source: string): Pattern {
    const steps: Step[] = [];
    emit(parsePattern(source), steps);
    add(steps, { kind: "match" });
    return new Pattern(steps);
  }

  /** @returns what is wrong, in words, when it cannot be compiled */
  static tryCompile(source: string): Pattern | string {
    try {
      return Pattern.compile(source);
    } catch (error) {
      if (error instanceof PatternError) return error.message;
      throw error;
    }
  }

  get states(): number {
    return this.steps.length;
  }

  /** Is it anywhere in the text? */
  test(text: string): boolean {
    const chars = [...text];
    const seen = new Int32Array(this.steps.length).fill(-1);
    let threads: number[] = [];
    for (let at = 0; at <= chars.length; at++) {
      const char = chars[at];
      const next: number[] = [];
      // a match may begin at every place
      if (this.#follow([...threads, 0], at, chars, seen, next)) return true;
      threads = [];
      if (char === undefined) break;
      for (const pc of next) {
        const step = this.steps[pc];
        if (step.kind === "char" && step.test(char)) threads.push(pc + 1);
      }
    }
    return false;
  }

  /** Goes on from each of `from` as far as no character is needed: into `next`. @returns is there a match? */
  #follow(from: number[], at: number, chars: string[], seen: Int32Array, next: number[]): boolean {
    const stack = from;
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (seen[pc] === at) continue;
      seen[pc] = at;
      const step = this.steps[pc];
      if (step.kind === "match") return true;
      if (step.kind === "char") next.push(pc);
      else if (step.kind === "split") { for (const to of step.to) stack.push(to); }
      else if (holds(step.what, at, chars)) stack.push(pc + 1);
    }
    return false;
  }
}

function holds(what: "start" | "end" | "word" | "no word", at: number, chars: string[]): boolean {
  if (what === "start") return at === 0;
  if (what === "end") return at === chars.length;
  return (isWord(chars[at - 1]) !== isWord(chars[at])) === (what === "word");
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /^\w$/iu.test(char);
}

function add(steps: Step[], step: Step): number {
  if (steps.length >= MAX_STATES) throw new PatternError("it is too large: repeat less");
  return steps.push(step) - 1;
}

/** Writes the steps of a node at the end; what follows stands behind them. */
function emit(node: Node, steps: Step[]): void {
  switch (node.kind) {
    case "char":
      add(steps, { kind: "char", test: node.test });
      return;
    case "assert":
      add(steps, { kind: "assert", what: node.what });
      return;
    case "all":
      for (const part of node.parts) emit(part, steps);
      return;
    case "any":
      return emitAny(node.parts, steps);
    case "repeat":
      return emitRepeat(node, steps);
  }
}

function emitAny(parts: readonly Node[], steps: Step[]): void {
  const begin: number[] = [], ends: { kind: "split"; to: number[] }[] = [];
  add(steps, { kind: "split", to: begin });
  for (const part of parts) {
    begin.push(steps.length);
    emit(part, steps);
    const end = { kind: "split" as const, to: [] };
    add(steps, end);
    ends.push(end);
  }
  for (const end of ends) end.to.push(steps.length);
}

function emitRepeat({ part, least, most }: Extract<Node, { kind: "repeat" }>, steps: Step[]): void {
  for (let n = 0; n < least; n++) emit(part, steps);
  if (most === Infinity) {
    const to: number[] = [];
    const head = add(steps, { kind: "split", to });
    to.push(steps.length);
    emit(part, steps);
    add(steps, { kind: "split", to: [head] });
    to.push(steps.length);
    return;
  }
  const exits: number[][] = [];
  for (let n = least; n < most; n++) {
    const to: number[] = [];
    add(steps, { kind: "split", to });
    to.push(steps.length);
    exits.push(to);
    emit(part, steps);
  }
  for (const to of exits) to.push(steps.length);
}
