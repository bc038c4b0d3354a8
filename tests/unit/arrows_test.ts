/** The house plan of docs/architecture.md holds: every import in core/, routes/ and islands/ follows an arrow of it. */

import assert from "node:assert/strict";
import { walk } from "../support/walk.ts";

/** The rooms of core/, each of which may import from those before it. */
const ROOMS = [
  "base",
  "store",
  "admins",
  "identity",
  "backup",
  "dht",
  "transport",
  "swarm",
  "messaging",
  "account",
  "relay",
  "moderation",
];

/** Files of core/ that belong to no room: what they may see of the rooms. */
const SETTINGS = [
  "config.ts",
  "health_command.ts",
  "log_ring.ts",
  "logging.ts",
  "permissions_command.ts",
  "setting_traits.ts",
  "telemetry.ts",
  "version.ts",
];

/** Files that build the console, before anything runs. */
const BUILD = ["build.ts", "licences.ts", "tw.ts"];

/** What the pages and the API may use of core/, besides types. */
const FACE_ROOMS = ["base", "admins"];
const FACE = ["core/node.ts", "core/node_api.ts", "core/config.ts", "core/version.ts"];

const ROOT = new URL("../../", import.meta.url);

interface Import {
  /** Both relative to the project. */
  from: string;
  to: string;
  typeOnly: boolean;
}

/** Why an import is forbidden; null when it is not. */
function objection({ from, to, typeOnly }: Import): string | null {
  const [area, room] = from.split("/");
  const [target, targetRoom] = to.split("/");
  if (area === "core") {
    if (target !== "core") return "core/ knows nothing outside itself";
    return ROOMS.includes(room) ? objectionOfRoom(room, targetRoom) : objectionOfFile(room, targetRoom);
  }
  if (target === "core") {
    if (typeOnly || (area === "routes" && (FACE_ROOMS.includes(targetRoom) || FACE.includes(to)))) return null;
    return `${area}/ sees types only${area === "routes" ? `, core/base, core/admins and ${FACE.join(", ")}` : ""}`;
  }
  if (area === "islands" && target !== "islands" && !typeOnly) return "islands/ stand for themselves";
  return target === "routes" || target === "islands" || target === "static" ? null : `${area}/ has no business there`;
}

function objectionOfRoom(room: string, target: string): string | null {
  if (target === "version.ts") return null;
  if (!ROOMS.includes(target)) return `a room does not know ${target}`;
  return ROOMS.indexOf(target) <= ROOMS.indexOf(room) ? null : `${target} comes after ${room}`;
}

/** node*.ts and the command over all rooms see everything, the settings only each other and base. */
function objectionOfFile(file: string, target: string): string | null {
  if (SETTINGS.includes(file)) return SETTINGS.includes(target) || target === "base" ? null : `${file} is for settings`;
  if (BUILD.includes(file)) return BUILD.includes(target) ? null : `${file} only builds the console`;
  if (/^(node\w*|reindex_command)\.ts$/.test(file)) return null;
  return `core/${file} has no place in the plan: put it into a room`;
}

/** The imports of our own files in a source text; `path` is relative to the project. */
function importsOf(path: string, source: string): Import[] {
  const code = source.replace(/\/\*.*?\*\/|^\s*\/\/.*$/gms, "");
  const found = [
    ...code.matchAll(/^\s*(import|export)\s+(?<names>[^;"'`]*?)\bfrom\s*["'](?<file>\.[^"']*)["']/gm),
    ...code.matchAll(/^\s*import\s*["'](?<file>\.[^"']*)["']/gm),
    ...code.matchAll(/\bimport\(\s*["'](?<file>\.[^"']*)["']/g),
    ...code.matchAll(/\bnew URL\(\s*["'](?<file>\.[^"']*)["'],\s*import\.meta\.url/g),
  ];
  return found.map(({ groups }) => ({
    from: path,
    to: new URL(groups?.file ?? "", new URL(path, ROOT)).href.slice(ROOT.href.length),
    typeOnly: isTypeOnly(groups?.names ?? ""),
  }));
}

/** `type { A }`, or `{ type A, type B }`. */
function isTypeOnly(names: string): boolean {
  const list = /^\{(.*)\}\s*$/s.exec(names)?.[1].split(",").map((name) => name.trim()).filter((name) => name !== "");
  return /^type\s/.test(names) || (list?.every((name) => name.startsWith("type ")) ?? false);
}

Deno.test("every import follows an arrow of the plan", async () => {
  const objections: string[] = [];
  let seen = 0;
  for (const area of ["core", "routes", "islands"]) {
    if (!await Deno.stat(new URL(area, ROOT)).catch(() => null)) continue; // git keeps no empty folder
    for await (const path of walk(ROOT, area, /\.tsx?$/)) {
      for (const arrow of importsOf(path, await Deno.readTextFile(new URL(path, ROOT)))) {
        seen++;
        const why = objection(arrow);
        if (why) objections.push(`${arrow.from} imports ${arrow.to}: ${why}`);
      }
    }
  }
  assert.ok(seen > 100, `only ${seen} imports found`);
  assert.deepEqual(objections, []);
});

Deno.test("an import against the arrows is noticed, in every form", () => {
  const forbidden: [string, string][] = [
    ["core/dht/dht.ts", 'import { Relay } from "../relay/relay.ts";'],
    ["core/dht/dht.ts", 'import type { Channel } from "../transport/channel.ts";'],
    ["core/swarm/rules/vote.ts", 'export * from "../../messaging/messenger.ts";'],
    ["core/base/bytes.ts", 'import {\n  a,\n  b,\n} from "../store/store.ts";'],
    ["core/base/bytes.ts", 'import "../store/store.ts";'],
    ["core/base/bytes.ts", 'const store = await import("../store/store.ts");'],
    ["core/swarm/pack_parser.ts", 'new Worker(new URL("../relay/worker.ts", import.meta.url));'],
    ["core/relay/relay.ts", 'import { Node } from "../node.ts";'],
    ["core/relay/relay.ts", 'import { api } from "../../routes/api.ts";'],
    ["core/config.ts", 'import { Store } from "./store/store.ts";'],
    ["core/build.ts", 'import { Store } from "./store/store.ts";'],
    ["routes/api/node.ts", 'import { Store } from "../../core/store/store.ts";'],
    ["core/admins/admins.ts", 'import { Certificate } from "../identity/certificate.ts";'],
    ["routes/api/node.ts", 'import { main } from "../../main.ts";'],
    ["islands/graph.tsx", 'import { hex } from "../core/base/bytes.ts";'],
    ["islands/graph.tsx", 'import { type NodeView, nodeView } from "../core/node_view.ts";'],
    ["islands/graph.tsx", 'import { page } from "../routes/_page.tsx";'],
  ];
  for (const [path, source] of forbidden) {
    const [arrow] = importsOf(path, source);
    assert.ok(arrow && objection(arrow), `${path}: ${source}`);
  }
});

Deno.test("an import along the arrows is allowed", () => {
  const allowed: [string, string][] = [
    ["core/relay/relay.ts", 'import { Dht } from "../dht/dht.ts";'],
    ["core/node.ts", 'import { Relay } from "./relay/relay.ts";'],
    ["core/config.ts", 'import { VERSION } from "./version.ts";'],
    ["routes/api/node.ts", 'import { Node } from "../../core/node.ts";'],
    ["routes/api/node.ts", 'import type { Member } from "../../core/swarm/members.ts";'],
    ["islands/graph.tsx", 'import type { NodeView } from "../core/node_view.ts";'],
    ["islands/graph.tsx", 'import type { Texts } from "../routes/texts/en.ts";'],
    ["core/build.ts", 'import { utilities } from "./tw.ts";'],
    ["islands/graph.tsx", 'import { type NodeView, type PeerView } from "../core/node_view.ts";'],
  ];
  for (const [path, source] of allowed) {
    const [arrow] = importsOf(path, source);
    assert.ok(arrow, source);
    assert.equal(objection(arrow), null);
  }
});
