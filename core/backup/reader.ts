/** Bytes of a stream, so many at a time. */

import { type Bytes, concat } from "../base/bytes.ts";

/** Takes bytes from a stream by number; also says whether it is over. */
export class Reader {
  readonly #source: AsyncIterator<Uint8Array>;
  #parts: Uint8Array[] = [];
  #held = 0;
  #over = false;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next `n` bytes; fewer only at the end. */
  async take(n: number): Promise<Bytes> {
    while (this.#held < n && await this.#more());
    const taken: Uint8Array[] = [];
    for (let left = Math.min(n, this.#held); left > 0;) {
      const [first] = this.#parts;
      if (first.length <= left) taken.push(this.#parts.shift() ?? first);
      else {
        taken.push(first.subarray(0, left));
        this.#parts[0] = first.subarray(left);
      }
      const { length } = taken[taken.length - 1];
      left -= length;
      this.#held -= length;
    }
    return concat(...taken);
  }

  /** Up to `n` bytes, as they come; none only at the end. */
  async some(n: number): Promise<Bytes> {
    if (this.#held === 0) await this.#more();
    return await this.take(Math.min(n, this.#held));
  }

  async atEnd(): Promise<boolean> {
    while (this.#held === 0 && await this.#more());
    return this.#held === 0;
  }

  async #more(): Promise<boolean> {
    if (this.#over) return false;
    const { value, done } = await this.#source.next();
    this.#over = done === true;
    if (value && value.length > 0) {
      this.#parts.push(value);
      this.#held += value.length;
    }
    return !this.#over;
  }
}
