/**
 * Builds the program that `core/start.sh` runs, as a few files in `dist` instead of six hundred: that is what a start takes
 * longest for, and a fifth of the memory. And builds what the browser gets: one entry script, one chunk for each island, and
 * one stylesheet, under hashed names in `static/dist`, with a manifest; and the list of licences. `deno task build` runs it,
 * and `core/start.sh` when a file is not what it was; when nothing changed it only looks.
 */

import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { collectLicences } from "./licences.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, "static/dist");
const MANIFEST = join(DIST, "manifest.json");

const PROGRAM = join(ROOT, "dist");

/** What the build depends on: folders and files. */
const SOURCES = ["core", "islands", "routes", "static"];
const SOURCE_FILES = ["main.ts", "deno.json", "deno.lock", "LICENSE"];

const WORKERS = ["core/swarm/pack_worker.ts", "core/backup/snapshot_worker.ts"];

/** What is started, and the code of workers. */
const ENTRIES = ["main.ts", "core/permissions_command.ts", ...WORKERS];

/** Packages in the old form ask for modules of Node through `require`. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** How long files of an earlier program are kept, ms: a node that runs it may still load one of them. */
const KEPT_MS = 30 * 86_400_000;

/** The files of the console, as `routes/assets.ts` reads them. */
interface Manifest {
  /** hash over the sources */
  sources: string;
  /** names of the program's files */
  program: string[];
  client: string;
  css: string;
}

async function main(): Promise<void> {
  const files = [...await sources(), ...SOURCE_FILES.map((file) => join(ROOT, file))];
  const hash = await hashOf(files);
  if (await isBuilt(hash)) return;
  await Deno.mkdir(DIST, { recursive: true });
  await Deno.mkdir(PROGRAM, { recursive: true });
  const islands = files.map((file) => /islands\/(\w+)\.tsx$/.exec(file)?.[1]).filter((name) => name !== undefined);
  const [{ client, scripts }, css, program] = await Promise.all([bundle(islands), stylesheet(files), bundleProgram()]);
  const esbuild = await import("esbuild");
  await esbuild.stop(); // else the process does not end
  await put("licences.json", JSON.stringify(await licences()));
  const manifest: Manifest = { sources: hash, program, client, css };
  await put("manifest.json", JSON.stringify(manifest));
  await sweep(DIST, new Set([...scripts, css]));
  await sweep(PROGRAM, new Set(program), KEPT_MS);
}

/** Paths of all sources, in a fixed order. */
async function sources(): Promise<string[]> {
  const found: string[] = [];
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory && path !== DIST) await visit(path);
      else if (!isDirectory) found.push(path);
    }
  };
  for (const folder of SOURCES) await visit(join(ROOT, folder));
  return found.sort();
}

async function hashOf(files: string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${relative(ROOT, file)}\0`).update(await Deno.readFile(file));
  return hash.digest("hex");
}

async function isBuilt(sources: string): Promise<boolean> {
  try {
    const manifest: Manifest = JSON.parse(await Deno.readTextFile(MANIFEST));
    return manifest.sources === sources && manifest.program.every((name) => Deno.statSync(join(PROGRAM, name)).isFile);
  } catch {
    return false; // never built, or half
  }
}

/** Puts a file in its place at once: two nodes may be started at the same time. */
async function put(name: string, text: string, folder = DIST): Promise<void> {
  const draft = join(folder, `${name}.${Deno.pid}`);
  await Deno.writeTextFile(draft, text);
  await Deno.rename(draft, join(folder, name));
}

/** The scripts: islands load when a page has them. @returns the names of the entry and of all */
async function bundle(islands: string[]): Promise<{ client: string; scripts: string[] }> {
  const esbuild = await import("esbuild");
  const loaders = islands.map((name) =>
    `${JSON.stringify(name)}: () => import(${JSON.stringify(`./islands/${name}.tsx`)})`
  );
  const entry = `import { hydrateIslands } from "./islands/parts/hydrate.ts";\nhydrateIslands({ ${loaders.join()} });`;
  const { metafile } = await esbuild.build({
    stdin: { contents: entry, resolveDir: ROOT, loader: "ts" },
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    format: "esm",
    minify: true,
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    metafile: true,
    outdir: DIST,
    entryNames: "client-[hash]",
    chunkNames: "c-[hash]",
    loader: { ".css": "empty" },
  });
  const [file] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === "<stdin>") ?? [];
  if (file === undefined) throw new Error("esbuild wrote no entry");
  return { client: basename(file), scripts: Object.keys(metafile.outputs).map((path) => basename(path)) };
}

/** The program, packages included; what is imported when it is needed stays apart. @returns the names of its files */
async function bundleProgram(): Promise<string[]> {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild.build({
    entryPoints: ENTRIES.map((path) => ({ in: path, out: basename(path, ".ts") })),
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    write: false,
    format: "esm",
    platform: "node",
    conditions: ["deno"],
    target: "esnext",
    keepNames: true, // errors are called by their classes
    legalComments: "none", // see licences.json
    jsx: "automatic",
    jsxImportSource: "preact",
    banner: { js: REQUIRE },
    outdir: PROGRAM,
    chunkNames: "c-[hash]",
  });
  const names: string[] = [];
  for (const { path, text } of outputFiles.sort((a, b) => rank(a.path) - rank(b.path))) {
    const name = basename(path).replace("_worker.js", "_worker.ts"); // as whoever starts the worker calls it
    await put(name, ascii(text), PROGRAM);
    names.push(name);
  }
  return names;
}

/** The same program without other characters, which are left in expressions and comments: one makes V8 keep two bytes for each. */
function ascii(source: string): string {
  return source.replace(/[\x80-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Entries come last: whoever starts one finds all that it imports. */
function rank(path: string): number {
  return /\/c-\w+\.js$/.test(path) ? 0 : 1;
}

/** The licence of Kituo, and those of the packages. */
async function licences() {
  const { imports }: { imports: Record<string, string> } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const packages = await collectLicences(ROOT, Object.keys(imports));
  return { own: await Deno.readTextFile(join(ROOT, "LICENSE")), packages };
}

/** Removes what earlier builds left, when it is older than `age`. */
async function sweep(folder: string, current: ReadonlySet<string>, age = 0): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!/\.(js|css)$/.test(name) || current.has(name)) continue;
    const path = join(folder, name);
    const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null })); // another build was quicker
    if (mtime && Date.now() - mtime.getTime() >= age) await Deno.remove(path).catch(() => {});
  }
}

/** The stylesheet: our tokens, the utility classes that the sources name, and the charts'. @returns its name */
async function stylesheet(files: string[]): Promise<string> {
  const { utilities } = await import("./tw.ts");
  const texts = files.filter((file) => file.endsWith(".tsx")).map((file) => Deno.readTextFile(file));
  const [own, charts] = await Promise.all([
    Deno.readTextFile(join(ROOT, "static/console.css")),
    Deno.readTextFile(join(ROOT, "node_modules/uplot/dist/uPlot.min.css")),
  ]);
  // utilities begin with the reset of the browser's own styles, so ours stand behind
  const css = [charts, utilities((await Promise.all(texts)).join("\n")), own].join("\n");
  const name = `console-${createHash("sha256").update(css).digest("hex").slice(0, 8)}.css`;
  await put(name, css);
  return name;
}

if (import.meta.main) await main();
