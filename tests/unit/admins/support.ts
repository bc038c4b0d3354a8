/** Accounts over tables in memory, in virtual time. */

import { DatabaseSync } from "node:sqlite";
import { Admins } from "../../../core/admins/admins.ts";
import { AccessError, type AccessFault } from "../../../core/admins/errors.ts";
import { migrate } from "../../../core/store/migrations.ts";
import { Store } from "../../../core/store/store.ts";
import { VirtualClock } from "../../support/virtual_clock.ts";

export const SITE = { origin: "https://console.example", rpId: "console.example" };
export const PASSWORD = "zebra monsoon ladder";
export const HOUR = 3_600_000;

/** Cheap: these tests are not about the cost of guessing. */
export const CHEAP = { memory: 8, passes: 1 };

export function setUp() {
  const db = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  migrate(db);
  const store = new Store(db), clock = new VirtualClock();
  return { store, clock, admins: new Admins({ store, clock, cost: CHEAP, nodeName: () => "Kituo cha Pwani" }) };
}

/** With a first owner, "Asha". */
export async function withOwner() {
  const world = setUp();
  const first = await world.admins.setUp(
    world.admins.newSetupSecret() ?? "",
    { name: "Asha", password: PASSWORD },
    SITE,
  );
  return { ...world, first, owner: first.actor.admin ?? "" };
}

/** Is it a refusal of this kind? */
export const fault = (wanted: AccessFault) => (error: unknown) =>
  error instanceof AccessError && error.fault === wanted;
