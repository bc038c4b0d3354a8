/** The files that pages load: built by `deno task build`, read once, served from memory under names that change with them. */

import { gzipSync } from "node:zlib";
import { KituoError, messageOf } from "../core/base/errors.ts";
import type { Licence } from "../core/licences.ts";
import { router } from "./router.ts";

/** The console was not built, or half. */
export class AssetsError extends KituoError {}

/** What a page must name, and what is served. */
export interface Assets {
  client: string;
  css: string;
  /** by name */
  files: Map<string, Asset>;
  /** Kituo's own licence, and those of all packages */
  licences: { own: string; packages: Licence[] };
}

/** A file, and the same packed: once, when a browser first asks for it, so that a start does not wait for it. */
class Asset {
  #gzip: Uint8Array<ArrayBuffer> | null = null;

  constructor(readonly plain: Uint8Array<ArrayBuffer>) {}

  get gzip(): Uint8Array<ArrayBuffer> {
    return this.#gzip ??= new Uint8Array(gzipSync(this.plain, { level: 9 }));
  }
}

/** Where they are served. */
export const ASSETS = "/static";

const TYPES: Record<string, string> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

/** A year: the name of a file changes with its content. */
const FOR_EVER = "public, max-age=31536000, immutable";
const A_DAY = "public, max-age=86400";

/**
 * Reads what was built.
 * @param root the project's folder: above this file, and above the built program alike
 * @throws {AssetsError} when it was not
 */
export function readAssets(root = new URL(import.meta.resolve("../"))): Assets {
  const dist = new URL("static/dist/", root);
  try {
    const { client, css }: { client: string; css: string } = JSON.parse(
      Deno.readTextFileSync(new URL("manifest.json", dist)),
    );
    const files: Assets["files"] = new Map([["icon.svg", read(new URL("static/icon.svg", root))]]);
    for (const { name } of Deno.readDirSync(dist)) {
      if (/\.(js|css)$/.test(name)) files.set(name, read(new URL(name, dist)));
    }
    if (!files.has(client) || !files.has(css)) throw new AssetsError("files are missing");
    const licences: Assets["licences"] = JSON.parse(Deno.readTextFileSync(new URL("licences.json", dist)));
    return { client, css, files, licences };
  } catch (error) {
    throw new AssetsError(`the console was not built (deno task build): ${messageOf(error)}`, { cause: error });
  }
}

function read(path: URL): Asset {
  return new Asset(Deno.readFileSync(path));
}

/** A console without scripts and styles, for who only wants the pages' text. */
export const NO_ASSETS: Assets = { client: "", css: "", files: new Map(), licences: { own: "", packages: [] } };

/** The routes of the files. */
export function assetRoutes({ files }: Assets) {
  const routes = router();
  routes.get(`${ASSETS}/:name`, (c) => {
    const name = c.req.param("name");
    const file = files.get(name);
    if (!file) return c.notFound();
    const packed = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
    return c.body(packed ? file.gzip : file.plain, 200, {
      ...packed && { "content-encoding": "gzip" },
      "vary": "accept-encoding",
      "content-type": TYPES[name.split(".").pop() ?? ""] ?? "application/octet-stream",
      "cache-control": name === "icon.svg" ? A_DAY : FOR_EVER,
    });
  });
  return routes;
}
