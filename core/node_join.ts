/** The first start of a node that becomes one more device of an account: by an archive, or linked by another device (account.md 2.3, 9.2). */

import { systemClock } from "./base/clock.ts";
import { KituoError, messageOf } from "./base/errors.ts";
import { systemRandom } from "./base/random.ts";
import type { Config } from "./config.ts";
import { Dht } from "./dht/dht.ts";
import { ArchiveError } from "./identity/archive.ts";
import { importArchive, type ImportStep, joinAccount as joinWith } from "./identity/import.ts";
import { hasIdentity, tidyIdentity } from "./identity/storage.ts";
import { ownAddresses } from "./node_interfaces.ts";
import { askPassword } from "./node_ask.ts";
import { linkAsNew, type NewDeviceStage } from "./relay/link_new.ts";
import { identityPath } from "./store/places.ts";

/** The account cannot be joined; the message is for the person at the terminal. */
export class JoinError extends KituoError {}

const STEPS: Record<ImportStep, string> = {
  open: "opening the archive",
  renew: "looking at the account's certificates",
  keys: "making this device's key (some seconds)",
  save: "saving",
};

/**
 * Joins the account that the settings name, in an empty data folder; where there is an account already nothing is done.
 * @throws {KituoError} when that fails: nothing was written then
 */
export async function joinAccount(config: Config): Promise<void> {
  const { link, importArchive: file, data } = config;
  if (!link && file === undefined) return;
  const dir = identityPath(data);
  await tidyIdentity(dir);
  const flag = link ? "--link" : "--import-archive";
  if (await hasIdentity(dir)) return say(`${data} has an account already: ${flag} does nothing.`);
  if (link && file !== undefined) throw new JoinError("--link and --import-archive exclude each other");
  if (file !== undefined) await byArchive(dir, file);
  else await byLink(dir, config);
}

async function byArchive(dir: string, file: string): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(file);
  } catch (error) {
    throw new JoinError(`${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
  const options = { now: systemClock.now(), onStep: (step: ImportStep) => say(`Import: ${STEPS[step]}.`) };
  let password = Deno.env.get("KITUO_ARCHIVE_PASSWORD") ?? "";
  for (let isWrong = false;; isWrong = true) {
    try {
      const { account } = await importArchive(dir, bytes, { ...options, password });
      return say(`Import: this node is a device of jami:${account} now.`);
    } catch (error) {
      const isPassword = error instanceof ArchiveError && /password/.test(error.reason);
      if (!isPassword) throw error instanceof ArchiveError ? unusable(file, error) : error;
      const typed = await ask(isWrong || password !== "");
      if (typed === null) throw new JoinError(`${file}: ${error.reason}: set KITUO_ARCHIVE_PASSWORD`, { cause: error });
      password = typed;
    }
  }
}

function unusable(file: string, error: ArchiveError): JoinError {
  return new JoinError(`${file} cannot be used as an account's archive: ${error.message}`, { cause: error });
}

async function byLink(dir: string, config: Config): Promise<void> {
  const dht = new Dht({
    port: config.dhtPort,
    bootstrap: config.bootstrap,
    clock: systemClock,
    random: systemRandom,
  });
  const given = Deno.env.get("KITUO_ARCHIVE_PASSWORD");
  dht.start();
  try {
    const { archive, password } = await linkAsNew({
      dht,
      clock: systemClock,
      random: systemRandom,
      peerPort: config.peerPort,
      addresses: ownAddresses,
      publicAddresses: () => [...new Set([...config.publicAddress, ...dht.stats().publicAddresses])],
      password: (isWrong) => isWrong || given === undefined ? ask(isWrong) : Promise.resolve(given),
      onStage: (stage) => say(`Link: ${told(stage, config)}`),
    });
    const onStep = (step: ImportStep) => say(`Link: ${STEPS[step]}.`);
    const { account } = await joinWith(dir, archive, { password, now: systemClock.now(), onStep });
    say(`Link: this node is a device of jami:${account} now.`);
  } finally {
    await dht.stop();
  }
}

function told(stage: NewDeviceStage, { bootstrap }: Config): string {
  switch (stage.stage) {
    case "keys":
      return "making keys for the exchange (some seconds).";
    case "network": {
      const nodes = bootstrap.join(", ") || "others to appear (--bootstrap is none)";
      return `waiting for the network: no answer yet from ${nodes}. Nobody can find this device before.`;
    }
    case "waiting":
      return `within 5 minutes, give this address to a device of the account (Add device; /settings/devices): ${stage.uri}`;
    case "connected":
      return `a device of jami:${stage.account} is connected. Confirm it there, and see that this is your account.`;
    case "receiving":
      return "the account's archive has come.";
  }
}

/** `null` when nobody can be asked. */
function ask(isWrong: boolean): Promise<string | null> {
  return askPassword(`${isWrong ? "That is another one. " : ""}Password of the account:`);
}

/** For the person at the terminal: the log is for programs. */
function say(line: string): void {
  console.log(line);
}
