/**
 * Builds what the browser gets: one entry script, one chunk for each island, and one stylesheet, under hashed names in
 * `static/dist`, with a manifest; and the list of licences. `deno task build` runs it, and `core/start.sh` before each start; when nothing changed it
 * only looks.
 */

import { createHash } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { collectLicences } from "./licences.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, "static/dist");
const MANIFEST = join(DIST, "manifest.json");

/** What the build depends on, besides itself and the lock file. */
const SOURCES = ["routes", "islands", "static"];

/** The files of the console, as `routes/assets.ts` reads them. */
interface Manifest {
  /** hash over the sources */
  sources: string;
  client: string;
  css: string;
}

async function main(): Promise<void> {
  const files = [
    ...await sources(),
    ...["core/build.ts", "core/licences.ts", "deno.lock", "LICENSE"].map((file) => join(ROOT, file)),
  ];
  const hash = await hashOf(files);
  if (await isBuilt(hash)) return;
  await Deno.mkdir(DIST, { recursive: true });
  const islands = files.map((file) => /islands\/(\w+)\.tsx$/.exec(file)?.[1]).filter((name) => name !== undefined);
  const [{ client, scripts }, css] = await Promise.all([bundle(islands), stylesheet(files)]);
  await put("licences.json", JSON.stringify(await licences()));
  const manifest: Manifest = { sources: hash, client, css };
  await put("manifest.json", JSON.stringify(manifest));
  await sweep(new Set([...scripts, css]));
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
    return manifest.sources === sources;
  } catch {
    return false; // never built, or half
  }
}

/** Puts a file in its place at once: two nodes may be started at the same time. */
async function put(name: string, text: string): Promise<void> {
  const draft = join(DIST, `${name}.${Deno.pid}`);
  await Deno.writeTextFile(draft, text);
  await Deno.rename(draft, join(DIST, name));
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
  await esbuild.stop(); // else the process does not end
  const [file] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === "<stdin>") ?? [];
  if (file === undefined) throw new Error("esbuild wrote no entry");
  return { client: basename(file), scripts: Object.keys(metafile.outputs).map((path) => basename(path)) };
}

/** The licence of Kituo, and those of the packages. */
async function licences() {
  const { imports }: { imports: Record<string, string> } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const packages = await collectLicences(ROOT, Object.keys(imports));
  return { own: await Deno.readTextFile(join(ROOT, "LICENSE")), packages };
}

/** Removes what earlier builds left. */
async function sweep(current: ReadonlySet<string>): Promise<void> {
  for await (const { name } of Deno.readDir(DIST)) {
    if (!/\.(js|css)$/.test(name) || current.has(name)) continue;
    await Deno.remove(join(DIST, name)).catch(() => {}); // another build was quicker
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
