/** A console over demo data and a real Chromium that looks at it. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { parseConfig } from "../../core/config.ts";
import { writeVcard } from "../../core/messaging/vcard.ts";
import type { NodeApi, NodeEvent, NodeInfo, OverviewNow, Sample } from "../../core/node_api.ts";
import { Node } from "../../core/node.ts";
import { databasePath } from "../../core/store/places.ts";
import { openStore, type Store } from "../../core/store/store.ts";
import { readAssets } from "../../routes/assets.ts";
import { serve } from "../../routes/serve.ts";
import { type Demo, makeDemo } from "../support/demo.ts";
import { makeLargeGroup } from "../support/large_group.ts";
import { furnish, OWNER } from "./furnish.ts";
import { testIdentity } from "../support/people.ts";

const CHROMIUM = "/usr/bin/chromium";
const ROOT = new URL("../../", import.meta.url);

/** How many times slower the pages' scripts run than they can: shows what is a matter of luck. Unset = as they can. */
const SLOWER = Number(Deno.env.get("KITUO_SLOWER") ?? "1");
/** Are they? Then nothing can be said of speed. */
export const SLOWED = SLOWER > 1;

/** Why there can be no browser here; null = there can. On CI that is a failure, not a reason to skip. */
export function missing(): string | null {
  try {
    Deno.statSync(CHROMIUM);
    return null;
  } catch {
    if (Deno.env.get("CI")) throw new Error(`${CHROMIUM} is missing: tests/setup.sh installs it`);
    return `skipped: ${CHROMIUM} is missing (tests/setup.sh installs it, as root on Debian)`;
  }
}

/** A running console. */
export interface Console extends AsyncDisposable {
  /** "http://localhost:PORT" */
  url: string;
  node: Node;
  store: Store;
  demo: Demo;
  /** where the node has its data */
  folder: string;
  /** Lets watchers hear of something. */
  tell(event: NodeEvent): void;
  /** Ends the node and starts it again, in the same folder and at the same port. */
  restart(): Promise<void>;
}

/** A day at the relay, squeezed into the hour that the charts show. */
function anHour(now: number): Sample[] {
  return Array.from({ length: 360 }, (_, i) => {
    const wave = Math.sin(i / 47) + Math.sin(i / 13) / 3;
    return {
      at: Math.floor(now / 1000) - (360 - i) * 10,
      connections: Math.round(9 + 4 * wave),
      waiting: Math.max(0, Math.round(40 * Math.sin(i / 60) ** 6 + 3)),
      loopDelay: 2 + ((i * 7919) % 100) / 12 + (i % 90 === 0 ? 35 : 0),
      memory: (168 + i / 30 + 6 * wave) * 2 ** 20,
      bytesIn: Math.round(9_000 + 7_000 * Math.sin(i / 9) ** 3),
      bytesOut: Math.round(21_000 + 19_000 * Math.sin(i / 17)),
    };
  });
}

/** What a console shows. */
interface Wishes {
  /** entries of its group; 0 = the demo data */
  large?: number;
  /** others in that group */
  crowd?: readonly string[];
  blind?: boolean;
  /** with an hour, accounts and an audit log that never were: for pictures */
  furnished?: boolean;
}

/**
 * Builds the pages' files, makes a node over demo data and starts it, without any network but its console.
 */
export async function openConsole(
  { large = 0, crowd = [], blind = false, furnished = false }: Wishes = {},
): Promise<Console> {
  await build();
  const folder = await Deno.makeTempDir({ prefix: "kituo-browser-" });
  const demo = large > 0 ? await makeLarge(folder, large, crowd) : await makeDemo(folder, Date.now());
  await Deno.writeTextFile(join(folder, "kituo.json"), JSON.stringify({ name: "Relay Pwani" }));
  const start = async (port = 0) => {
    const store = openStore(databasePath(folder));
    const args = ["--data", folder, "--bootstrap", "none", "--dht-port", "0", "--peer-port", "0"];
    if (crowd.length > 0) args.push("--offer-contact", "false"); // a repository for each of them
    const config = parseConfig(
      args,
      () => undefined,
      (path) => existsSync(path) ? Deno.readTextFileSync(path) : undefined,
    );
    const node = new Node(config, demo.identity, store, writeVcard("Kituo"));
    await node.start();
    const { api, tell } = overheard(node, furnished);
    const face = serve(api, "t".repeat(43), { host: "127.0.0.1", port }, { assets: readAssets(ROOT), blind });
    const end = async () => {
      await face.close();
      await face.finished;
      await node.stop();
    };
    return { url: face.url.replace("127.0.0.1", "localhost"), node, store, tell, end };
  };
  const running = await start();
  if (furnished) await furnish(running.node.admins, running.store, demo, running.url);
  return {
    ...running,
    demo,
    folder,
    async restart() {
      await running.end();
      Object.assign(this, Object.assign(running, await start(Number(new URL(running.url).port))));
    },
    async [Symbol.asyncDispose]() {
      await running.end();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function makeLarge(folder: string, commits: number, crowd: readonly string[]): Promise<Demo> {
  const identity = await testIdentity(Date.now());
  const store = openStore(databasePath(folder));
  const group = await makeLargeGroup(folder, store, identity, commits, undefined, crowd);
  store.close();
  return { identity, group, requests: [] };
}

/** The node as one that is well: it has no network here. */
function wellOf(now: OverviewNow): OverviewNow {
  const dht: NodeInfo["dht"] = { status: "connected", nodes4: 143, nodes6: 38 };
  return { ...now, node: { ...now.node, dht }, ready: { dht: true, announced: true, revoked: false } };
}

/** The same node; and a way to tell its watchers what others would have to do. */
function overheard(node: Node, hour: boolean): { api: NodeApi; tell: (event: NodeEvent) => void } {
  const listeners = new Set<(event: NodeEvent) => void>();
  const subscribe: NodeApi["subscribe"] = (listener) => {
    listeners.add(listener);
    const off = node.subscribe((event) =>
      listener(hour && event.type === "overview" ? { ...event, data: wellOf(event.data) } : event)
    );
    return () => {
      listeners.delete(listener);
      off();
    };
  };
  const overview = () => ({ ...wellOf(node.overview()), samples: anHour(Date.now()) });
  const ours: Partial<NodeApi> = { subscribe, ...hour && { overview } };
  const api = new Proxy(node, {
    get(target, key) {
      const value: unknown = Reflect.get(ours, key) ?? Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { api, tell: (event) => listeners.forEach((listener) => listener(event)) };
}

async function build(): Promise<void> {
  const args = ["run", "--frozen", "--cached-only", "--no-check", "-A", new URL("core/build.ts", ROOT).pathname];
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT }).output();
  assert.ok(success, "the build failed");
}

/** How a browser is set. */
export interface Look {
  scheme?: "light" | "dark";
  phone?: boolean;
  locale?: string;
}

/** A browser window on a console, signed in as an owner or not at all; what goes wrong in it is collected. */
export interface Window extends AsyncDisposable {
  context: BrowserContext;
  page: Page;
  /** console errors, CSP violations, failed requests, requests to elsewhere */
  faults: string[];
  /** Opens a path and waits until its islands live. */
  go(path: string): Promise<void>;
  /** Waits until the islands of the page live, after a link was followed. */
  alive(): Promise<void>;
  /** What axe finds serious or worse on the page. */
  axe(): Promise<string[]>;
}

/** Opens a window on a console. The first one sets it up. */
export async function openWindow(console: Console, look: Look = {}): Promise<Window> {
  const view = await openBrowser(console.url, look);
  await view.context.request.get(`${console.url}/healthz`);
  await view.page.goto(`${console.url}/healthz`);
  await signIn(view.page, console);
  view.faults.length = 0;
  return view;
}

/** Opens a window of a browser in which nobody is signed in. @param url the origin: nothing else may be asked for */
export async function openBrowser(url: string, look: Look = {}): Promise<Window> {
  const { scheme = "light", phone = false, locale = "en-GB" } = look;
  const profile = await Deno.makeTempDir({ prefix: "kituo-chromium-" });
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    colorScheme: scheme,
    locale,
    timezoneId: "Africa/Nairobi",
    viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 860 },
    deviceScaleFactor: phone ? 2 : 1,
    isMobile: phone,
    hasTouch: phone,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const page = context.pages()[0];
  if (SLOWED) {
    const cdp = await context.newCDPSession(page);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  }
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== url) faults.push(`asked ${request.url()}`);
  });
  const view: Window = {
    context,
    page,
    faults,
    async go(path) {
      await page.goto(url + path);
      await view.alive();
    },
    async alive() {
      await page.waitForFunction(() =>
        document.readyState === "complete" && !document.querySelector("k-island:not([data-ready])")
      );
    },
    async axe() {
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
      return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
    },
    async [Symbol.asyncDispose]() {
      await context.close();
      await Deno.remove(profile, { recursive: true });
    },
  };
  return view;
}

/** Through the API, as the sign-in page does. */
async function signIn(page: Page, { node }: Console): Promise<void> {
  const secret = node.admins.newSetupSecret();
  const [path, body] = secret === null ? ["session", OWNER] : ["setup", { secret, admin: OWNER }];
  const status = await page.evaluate(async ([path, body]) => {
    const response = await fetch(`/api/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return `${response.status} ${await response.text()}`;
  }, [path as string, JSON.stringify(body)]);
  assert.match(status, /^20[01] /, status);
}
