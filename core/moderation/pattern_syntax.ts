/** Reads a regular expression as JavaScript writes it (ECMAScript, flags `iu`), without look-around and back references. */

import { KituoError } from "../base/errors.ts";

/** It is no regular expression, or needs what there is not. */
export class PatternError extends KituoError {}

/** A part of an expression. */
export type Node =
  | { kind: "char"; test: (char: string) => boolean }
  | { kind: "assert"; what: "start" | "end" | "word" | "no word" }
  | { kind: "all"; parts: Node[] }
  | { kind: "any"; parts: Node[] }
  | { kind: "repeat"; part: Node; least: number; most: number };

/** Groups in groups: nobody writes more, and each costs stack. */
const MAX_DEPTH = 20;

/** The largest count in `{n,m}`. */
const MAX_REPEAT = 200;

/** @throws {PatternError} */
export function parsePattern(source: string): Node {
  const reader = new Reader(source);
  const node = reader.any(0);
  if (!reader.done) throw new PatternError("a bracket is closed that was not opened");
  return node;
}

class Reader {
  #at = 0;
  readonly #chars: string[];

  constructor(source: string) {
    this.#chars = [...source];
  }

  get done(): boolean {
    return this.#at >= this.#chars.length;
  }

  /** Alternatives, up to the end or a closing bracket. */
  any(depth: number): Node {
    if (depth > MAX_DEPTH) throw new PatternError("too many groups in groups");
    const parts = [this.#all(depth)];
    while (this.#take("|")) parts.push(this.#all(depth));
    return parts.length === 1 ? parts[0] : { kind: "any", parts };
  }

  #all(depth: number): Node {
    const parts: Node[] = [];
    while (!this.done && this.#peek() !== "|" && this.#peek() !== ")") parts.push(this.#repeated(this.#atom(depth)));
    return { kind: "all", parts };
  }

  #atom(depth: number): Node {
    const char = this.#next();
    switch (char) {
      case "(":
        return this.#group(depth);
      case "[":
        return matching(this.#class());
      case ".":
        return matching(".");
      case "^":
        return { kind: "assert", what: "start" };
      case "$":
        return { kind: "assert", what: "end" };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
      case "{":
        throw new PatternError(`there is nothing before ${char} to repeat (a ${char} itself is written \\${char})`);
      default:
        return literal(char);
    }
  }

  #group(depth: number): Node {
    if (this.#take("?") && !this.#take(":")) throw new PatternError("look-around and named groups are not possible");
    const node = this.any(depth + 1);
    if (!this.#take(")")) throw new PatternError("a bracket is not closed");
    return node;
  }

  /** The source of a class, brackets included. */
  #class(): string {
    let source = "[";
    while (true) {
      if (this.done) throw new PatternError("a class is not closed");
      const char = this.#next();
      source += char;
      if (char === "\\" && !this.done) source += this.#next();
      else if (char === "]") return source;
    }
  }

  #escape(): Node {
    if (this.done) throw new PatternError("it ends with a \\");
    const char = this.#next();
    if (char === "b") return { kind: "assert", what: "word" };
    if (char === "B") return { kind: "assert", what: "no word" };
    if (/[dDwWsSnrtfv]/.test(char)) return matching(`\\${char}`);
    if (/[xupP]/.test(char)) return matching(this.#longEscape(char));
    if (/[1-9k]/.test(char)) throw new PatternError("back references are not possible");
    if (/[\p{L}\p{N}]/u.test(char)) throw new PatternError(`\\${char} means nothing`);
    return literal(char);
  }

  /** `\x41`, `\u0041`, `\u{41}`, `\p{L}`. */
  #longEscape(char: string): string {
    const rest = this.#chars.slice(this.#at, this.#at + 40).join("");
    const form = char === "x"
      ? /^[0-9a-f]{2}/i
      : char === "u"
      ? /^(?:[0-9a-f]{4}|\{[0-9a-f]{1,6}\})/i
      : /^\{[A-Za-z_=]+\}/;
    const [found] = form.exec(rest) ?? [];
    if (found === undefined) throw new PatternError(`\\${char} is not finished`);
    this.#at += found.length;
    return `\\${char}${found}`;
  }

  #repeated(part: Node): Node {
    const counts = this.#counts();
    if (!counts) return part;
    this.#take("?"); // lazy or not: whether there is a match is the same
    if (part.kind === "assert") throw new PatternError("a place cannot be repeated");
    if (this.#counts()) throw new PatternError("it repeats a repetition");
    return { kind: "repeat", part, ...counts };
  }

  #counts(): { least: number; most: number } | null {
    if (this.#take("*")) return { least: 0, most: Infinity };
    if (this.#take("+")) return { least: 1, most: Infinity };
    if (this.#take("?")) return { least: 0, most: 1 };
    if (this.#peek() !== "{") return null;
    const rest = this.#chars.slice(this.#at, this.#at + 16).join("");
    const [whole, least, comma, most] = /^\{(\d{1,4})(,?)(\d{0,4})\}/.exec(rest) ?? [];
    if (whole === undefined) throw new PatternError("{ must be followed by a count (a { itself is written \\{)");
    this.#at += whole.length;
    const to = comma === "" ? Number(least) : most === "" ? Infinity : Number(most);
    if (Number(least) > to) throw new PatternError(`${whole} is the wrong way round`);
    if (Number(least) > MAX_REPEAT || (to !== Infinity && to > MAX_REPEAT)) {
      throw new PatternError(`at most ${MAX_REPEAT} times may be asked for`);
    }
    return { least: Number(least), most: to };
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #next(): string {
    return this.#chars[this.#at++];
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }
}

function literal(char: string): Node {
  return matching(/[\^$\\.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char);
}

/** A node for one character, told by JavaScript's own engine: on one character it has nothing to go back to. */
function matching(source: string): Node {
  let one: RegExp;
  try {
    one = new RegExp(`^${source}$`, "iu");
  } catch {
    throw new PatternError(`${source} is not possible here`);
  }
  const known = new Map<string, boolean>();
  return {
    kind: "char",
    test(char) {
      let answer = known.get(char);
      if (answer === undefined) {
        answer = one.test(char);
        if (known.size < 256) known.set(char, answer);
      }
      return answer;
    },
  };
}
