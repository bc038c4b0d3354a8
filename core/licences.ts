/** What Kituo is made of: the licences of all packages in node_modules, for the console's page about itself. */

import { basename, join } from "node:path";

/** A package. */
export interface Licence {
  name: string;
  version: string;
  /** SPDX expression */
  licence: string;
  /** as the package brings it; "" = it brings none */
  text: string;
  /** only builds or tests Kituo */
  tool: boolean;
}

/** What is imported for building and testing only; the rest, with all that it needs, is in the node or in the browser. */
const TOOLS = new Set(["axe-core", "esbuild", "fast-check", "playwright-core"]);

interface Manifest {
  name: string;
  version: string;
  license?: unknown;
  dependencies?: Record<string, string>;
}

/** All packages, by name. @param root the project's folder; @param imports the names that it imports */
export async function collectLicences(root: string, imports: readonly string[]): Promise<Licence[]> {
  const folders = await packageFolders(join(root, "node_modules/.deno"));
  const manifests = new Map<string, Manifest>();
  for (const folder of folders) {
    manifests.set(folder, JSON.parse(await Deno.readTextFile(join(folder, "package.json"))));
  }
  const running = withAllTheyNeed(imports.filter((name) => !TOOLS.has(name)), [...manifests.values()]);
  const found = await Promise.all([...manifests].map(async ([folder, { name, version, license }]) => ({
    name,
    version,
    licence: typeof license === "string" ? license : "",
    text: await licenceText(folder),
    tool: !running.has(name),
  })));
  const byName = new Map(found.map((one) => [`${one.name}@${one.version}`, one]));
  return [...byName.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Deno keeps each package in a folder of its own: `NAME@VERSION/node_modules/NAME`. */
async function packageFolders(store: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(store)) {
    const at = name.lastIndexOf("@");
    if (!isDirectory || at <= 0) continue;
    // a package for another system is a folder without anything in it
    const folder = join(store, name, "node_modules", name.slice(0, at).replace("+", "/"));
    if (await isThere(join(folder, "package.json"))) found.push(folder);
  }
  return found;
}

/** The names of packages, and of those they depend on. */
function withAllTheyNeed(names: string[], manifests: Manifest[]): Set<string> {
  const found = new Set<string>(), waiting = [...names];
  for (let name; (name = waiting.pop()) !== undefined;) {
    if (found.has(name)) continue;
    found.add(name);
    for (const one of manifests) if (one.name === name) waiting.push(...Object.keys(one.dependencies ?? {}));
  }
  return found;
}

async function licenceText(folder: string): Promise<string> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => basename(name));
  const texts = names.filter((name) => /^(licen[cs]e|copying|notice)([.-].*)?$/i.test(name)).sort();
  return (await Promise.all(texts.map((name) => Deno.readTextFile(join(folder, name))))).join("\n").trim();
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
