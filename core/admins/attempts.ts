/** Counts what is tried from outside, so that nobody can guess for long. */

import type { Clock } from "../base/clock.ts";
import { LruMap, TokenBucket } from "../base/limits.ts";
import { networkOf } from "../base/network.ts";
import { ACCOUNT_BURST, ACCOUNT_RATE, ADDRESS_BURST, ADDRESS_RATE, MAX_COUNTED } from "./constants.ts";
import { AccessError } from "./errors.ts";

/** The tries of each account and each address. */
export class Attempts {
  readonly #accounts = new LruMap<string, TokenBucket>(MAX_COUNTED);
  readonly #addresses = new LruMap<string, TokenBucket>(MAX_COUNTED);

  constructor(private readonly clock: Clock) {}

  /** One more try from an address. @throws {AccessError} "too many" */
  fromAddress(address: string): void {
    this.#take(this.#addresses, networkOf(address), ADDRESS_RATE, ADDRESS_BURST);
  }

  /** One more try for an account. Accounts that do not exist are counted too, or the refusal would tell. @throws {AccessError} "too many" */
  forAccount(nameKey: string): void {
    this.#take(this.#accounts, nameKey, ACCOUNT_RATE, ACCOUNT_BURST);
  }

  #take(buckets: LruMap<string, TokenBucket>, key: string, rate: number, burst: number): void {
    let bucket = buckets.get(key);
    if (!bucket) buckets.set(key, bucket = new TokenBucket(this.clock, rate, burst));
    if (!bucket.take()) throw new AccessError("too many", "Too many tries: wait a minute.");
  }
}
