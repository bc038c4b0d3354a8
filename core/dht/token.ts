/** Write tokens: who asks for one shows that packets to its address arrive (opendht.md 2.5). */

import { createHash, timingSafeEqual } from "node:crypto";
import { type Bytes, concat } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { type Address, ipBytes } from "./address.ts";
import { TOKEN_ROTATION, TOKEN_SECRET_BYTES } from "./constants.ts";
import { between } from "./scheduler.ts";

/** Issues tokens bound to IP and port, and accepts those of the current and the previous secret. */
export class Tokens {
  #secret: Bytes;
  #previous: Bytes;

  constructor(private readonly clock: Clock, private readonly random: Random) {
    this.#secret = random.bytes(TOKEN_SECRET_BYTES);
    this.#previous = this.#secret;
  }

  /** Starts to change the secret from time to time. */
  start(): void {
    this.clock.after(between(TOKEN_ROTATION, this.random), () => {
      this.#previous = this.#secret;
      this.#secret = this.random.bytes(TOKEN_SECRET_BYTES);
      this.start();
    });
  }

  /** The token for an address. */
  issue(address: Address): Bytes {
    return token(this.#secret, address);
  }

  /** Was the token issued to this address, not too long ago? */
  accepts(address: Address, presented: Bytes): boolean {
    return same(presented, token(this.#secret, address)) || same(presented, token(this.#previous, address));
  }
}

function token(secret: Bytes, address: Address): Bytes {
  const port = Uint8Array.of(address.port >> 8, address.port & 0xff);
  return new Uint8Array(createHash("sha256").update(concat(secret, ipBytes(address), port)).digest());
}

function same(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
