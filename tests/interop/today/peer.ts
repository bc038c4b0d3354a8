/**
 * A Jami peer of August 2026 as a program: `peer.ts DATA BOOTSTRAP[,...] NAME [offline]`. It takes commands as JSON lines on standard input,
 * `{"id", "do", "args"}`, and answers on standard output, `{"id", "result"}` or `{"id", "error"}`; between these come events,
 * `{"event", "at", ...}` with `at` in ms since 1970. It ends in order when its input ends.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../../../core/base/clock.ts";
import { messageOf } from "../../../core/base/errors.ts";
import { createIdentity, type Identity } from "../../../core/identity/identity.ts";
import { hasIdentity, loadIdentity, saveIdentity } from "../../../core/identity/storage.ts";
import { writeChannelName } from "../../../core/messaging/channel_name.ts";
import { configureLogging } from "../../../core/logging.ts";
import { ChannelDeclined } from "../../../core/transport/channel.ts";
import { TodayNode } from "./node.ts";
import { State } from "./state.ts";

type Command = (...args: string[]) => unknown;

const [data, bootstrap, name] = Deno.args;
const offline = Deno.args.includes("offline");

function tell(line: Record<string, unknown>): void {
  const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
  for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
}

function event(event: string, more: Record<string, unknown>): void {
  tell({ event, at: systemClock.now(), ...more });
}

async function identityIn(dir: string): Promise<Identity> {
  if (await hasIdentity(dir)) return await loadIdentity(dir, systemClock.now());
  const { identity, archive } = await createIdentity({ now: systemClock.now() });
  await saveIdentity(dir, identity, archive);
  return identity;
}

function commandsOf(node: TodayNode, identity: Identity, state: State): Record<string, Command> {
  const { contacts, swarms } = node;
  const swarm = (id: string) => swarms.get(id) ?? fail(`no conversation ${id}`);
  return {
    whoami: () => ({ account: identity.account, device: identity.device }),
    online: () => node.start(),
    waitAnnounced: () => node.announced(),
    addContact: (account) => contacts.add(account),
    acceptContact: (account) => contacts.accept(account),
    removeContact: (account) => contacts.remove(account),
    contacts: () => state.contacts,
    requests: () => state.requests,
    startGroup: (mode) => swarms.createGroup(Number(mode)),
    leave: (id) => swarms.leave(id),
    askForGroup: (account, id) => contacts.askForGroup(account, id),
    invite: (id, account) => swarms.invite(id, account),
    invitations: () => state.invitations,
    acceptGroup: (id) => swarms.acceptInvitation(id),
    post: (id, body) => swarms.post(id, body),
    conversations: () => swarms.all().map(({ id }) => id),
    members: (id) => Object.fromEntries(swarm(id).members.roles),
    history: (id) => swarm(id).history(),
    head: (id) => swarm(id).head,
    overlay: (id) => swarms.overlay(swarm(id)).connected,
    request: (account, name) => request(node, account, name),
    sendProfile: (account, id, vcard) => sendProfile(node, identity, account, id, vcard),
    connections: () => node.connections.connections().map(({ peer: { account, device } }) => ({ account, device })),
  };
}

/** Opens any channel to a connected account, and reads it to its end. `null`: it was declined. */
async function request(node: TodayNode, account: string, name: string): Promise<{ size: number; sha3: string } | null> {
  const connection = node.connections.connections().find(({ peer }) => peer.account === account);
  if (!connection) return fail(`not connected with ${account}`);
  const hash = createHash("sha3-512");
  let size = 0;
  try {
    for await (const chunk of (await connection.open(name)).readable) {
      hash.update(chunk);
      size += chunk.length;
    }
  } catch (error) {
    if (error instanceof ChannelDeclined) return null;
    throw error;
  }
  return { size, sha3: hash.digest("hex") };
}

/** Gives a connected account our profile, as today's daemon does when a member comes into the overlay (swarm-sync.md 6.5). */
async function sendProfile(
  node: TodayNode,
  { device }: Identity,
  account: string,
  conversation: string,
  vcard: string,
): Promise<void> {
  const connection = node.connections.connections().find(({ peer }) => peer.account === account);
  if (!connection) return fail(`not connected with ${account}`);
  const sha3 = createHash("sha3-512").update(vcard).digest("hex");
  const version = { sha3, modified: Math.floor(systemClock.now() / 1_000) };
  const channel = await connection.open(writeChannelName({ kind: "profile", conversation, device, version }));
  const writer = channel.writable.getWriter();
  await writer.write(new TextEncoder().encode(vcard));
  await writer.close();
}

function fail(why: string): never {
  throw new Error(why);
}

function tellEvents(node: TodayNode): void {
  const { contacts, swarms } = node;
  contacts.on("request", (more) => event("request", more));
  contacts.on("confirmed", (more) => event("confirmed", more));
  swarms.on("commit", ({ entry, ...more }) => event("commit", { ...more, ...entry }));
  swarms.on("invitation", (more) => event("invitation", more));
  swarms.on("ready", (more) => event("ready", more));
  swarms.on("served", ({ conversation, account, device, commit }) => {
    event("served", { conversation, account, device, commit });
  });
  swarms.on("overlay", (more) => event("overlay", more));
  for (const name of ["connected", "disconnected", "channel", "profile"] as const) {
    node.on(name, (more) => event(name, more));
  }
}

async function* inputLines(): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of Deno.stdin.readable) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

async function run(line: string, commands: Record<string, Command>): Promise<void> {
  const { id, do: command, args }: { id: number; do: string; args: string[] } = JSON.parse(line);
  try {
    tell({ id, result: await commands[command](...args) ?? null });
  } catch (error) {
    tell({ id, error: messageOf(error) });
  }
}

await configureLogging("debug");
await Deno.mkdir(data, { recursive: true });
const identity = await identityIn(join(data, "identity"));
const state = new State(join(data, "state.json"));
const node = new TodayNode({
  dir: join(data, "conversations"),
  identity,
  state,
  name,
  bootstrap: bootstrap.split(","),
  log: (message) => console.error(JSON.stringify({ at: systemClock.now(), message })),
});
tellEvents(node);
await node.open();
if (!offline) await node.start();
event("started", { account: identity.account, device: identity.device });
const commands = commandsOf(node, identity, state);
for await (const line of inputLines()) run(line, commands);
await node.stop();
Deno.exit();
