/**
 * The settings of a node: one schema gives the flags, the environment variables, the keys of `kituo.json`, the help and
 * the table in docs/operating.md. Flags win over the environment, that over the file, that over the defaults.
 */

import { isIP } from "node:net";
import { join } from "node:path";
import { z } from "zod";
import { KituoError, messageOf } from "./base/errors.ts";
import { VERSION } from "./version.ts";

/** A setting that cannot be used. The message is one line for the person who wrote it. */
export class ConfigError extends KituoError {}

/** A place to listen at or to send to. */
export interface HostPort {
  /** host name or IP address, IPv6 without brackets */
  host: string;
  port: number;
}

/** Entries that one list may hold: nobody writes more by hand. */
const MAX_LIST = 64;
const MAX_NAME = 64;
/** Characters of a wrong value that its error line shows. */
const MAX_SHOWN = 60;

/** What the help and the documentation say of a setting. */
interface OptionText {
  placeholder: string;
  meaning: string;
  /** used when nobody sets it; unset: the setting is optional */
  fallback?: string;
  /** a flag that means "true" when no value follows */
  bare?: boolean;
}

const described = z.registry<OptionText>();

/** The error of a value that is not `what`. */
function wrong(what: string) {
  return {
    error: (issue: { input?: unknown }) => `${shown(issue.input)} is not ${what}`,
  };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

const PORT = wrong("a port (a whole number from 0 to 65535)");
/** Each use makes its own schema, for a schema can be described only once. */
const port = () =>
  z.union([z.int(), z.string().regex(/^[0-9]{1,5}$/).transform(Number)], PORT)
    .refine((n) => n >= 0 && n <= 65535, PORT);

const path = z.string(wrong("a path")).refine((text) => text !== "" && !text.includes("\0"), wrong("a path"));

const ADDRESS = wrong("HOST:PORT (an IPv6 address stands in brackets: [::1]:8042)");
const address = () =>
  z.string(ADDRESS).transform((text, context) => {
    const parsed = parseHostPort(text);
    if (parsed) return parsed;
    context.issues.push({ code: "custom", message: ADDRESS.error({ input: text }), input: text });
    return z.NEVER;
  });

const PEER = wrong("HOST:PORT with a port from 1 to 65535 (an IPv6 address stands in brackets)");
const peer = z.string(PEER).refine((text) => (parseHostPort(text)?.port ?? 0) > 0, PEER);

const IP = wrong("an IP address that others can reach");
const ip = z.string(IP).refine((text) => isIP(text) !== 0 && !/^[0:.]+$|%/.test(text), IP);

const JAMI_ID = wrong("a Jami ID (40 hex digits)");
const jamiId = z.string(JAMI_ID).regex(/^(jami:)?[0-9a-f]{40}$/i, JAMI_ID)
  .transform((text) => text.replace(/^jami:/i, "").toLowerCase());

const NAME_SERVER = wrong("the http(s) URL of a name server");
/** Without a slash at the end; "none" becomes "". */
const nameServer = z.string(NAME_SERVER).transform((text, context) => {
  if (text === "" || text === "none") return "";
  const url = URL.parse(text);
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (isPlain) return url.href.replace(/\/+$/, "");
  context.issues.push({ code: "custom", message: NAME_SERVER.error({ input: text }), input: text });
  return z.NEVER;
});

const COLLECTOR = wrong("the http(s) URL of a collector");
const collector = z.string(COLLECTOR)
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? "") && !/[?#@]/.test(text), COLLECTOR)
  .transform((text) => text.replace(/\/+$/, ""));

/** A list: texts with a comma between, "none", or a JSON array. */
function list<Item extends z.ZodType<string, string>>(item: Item) {
  const split = (text: string) => text === "none" ? [] : text.split(",").map((part) => part.trim());
  return z.union([z.string().transform(split), z.array(z.string())], wrong("a list of texts"))
    .pipe(z.array(item).max(MAX_LIST, `more than ${MAX_LIST} entries`))
    .transform((items) => [...new Set(items)]);
}

const ORIGIN = wrong("an origin (https://HOST or https://HOST:PORT, nothing behind it)");
const origin = z.string(ORIGIN).refine((text) => /^https:/.test(text) && URL.parse(text)?.origin === text, ORIGIN);

const NAME = wrong(`a name of 1 to ${MAX_NAME} characters without control characters`);
/** The name of a node. */
export const nodeName = z.string(NAME).regex(/^\P{Cc}+$/u, NAME).max(MAX_NAME, NAME).trim().min(1, NAME);

const SIZE = wrong("a size (bytes, or a number with K, M, G or T behind it for multiples of 1024)");
const UNITS = " KMGT";
const size = () =>
  z.union([
    z.int().min(0),
    z.string().regex(/^[0-9]{1,15} ?[KMGT]?$/i).transform((text) => {
      return parseInt(text) * 1024 ** Math.max(0, UNITS.indexOf(text.slice(-1).toUpperCase()));
    }),
  ], SIZE).refine(Number.isSafeInteger, SIZE);

const DAYS = wrong("a number of days from 0 to 36500");
const days = z.union([z.int(), z.string().regex(/^[0-9]{1,5}$/).transform(Number)], DAYS)
  .refine((n) => n >= 0 && n <= 36500, DAYS);

/** A whole number within bounds. */
function whole(least: number, most: number) {
  const kind = wrong(`a whole number from ${least} to ${most}`);
  return z.union([z.int(), z.string().regex(/^[0-9]{1,6}$/).transform(Number)], kind)
    .refine((n) => n >= least && n <= most, kind);
}

const BOOLEAN = wrong("true or false");
const flag = () => z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")], BOOLEAN);

/** What may be done with contact requests and group invitations. */
export const ACCEPT_POLICIES = ["manual", "allowlist", "anyone"] as const;
/** How the log is written; `auto` = `text` on a terminal, else `json`. */
const LOG_FORMATS = ["auto", "text", "json"] as const;
const logLevels = ["debug", "info", "warning", "error"] as const;

/** Every setting. The names of flags and variables follow from the keys. */
const schema = z.strictObject({
  data: path.register(described, {
    placeholder: "DIR",
    fallback: "./data",
    meaning: "Data folder: identity, database, repositories, `kituo.json`, `admin.token`.",
  }),
  config: path.optional().register(described, {
    placeholder: "FILE",
    meaning: "Read this file in place of `kituo.json` in the data folder.",
  }),
  link: flag().register(described, {
    placeholder: "BOOLEAN",
    fallback: "false",
    bare: true,
    meaning:
      "`true` or nothing behind it, in a data folder without account: show an address by which another device of " +
      "an account links this one, and become one of its devices.",
  }),
  importArchive: path.optional().register(described, {
    placeholder: "FILE",
    meaning:
      "In a data folder without account: become a new device of the account in this archive, made by a Jami app " +
      "or another node. Its password is read from `KITUO_ARCHIVE_PASSWORD`, or asked for.",
  }),
  http: address().register(described, {
    placeholder: "HOST:PORT",
    fallback: "127.0.0.1:8042",
    meaning: "Where the console and the HTTP API listen; port 0 = any.",
  }),
  consoleOrigin: list(origin).register(described, {
    placeholder: "ORIGIN[,...]",
    fallback: "none",
    meaning:
      "Where a reverse proxy shows the console under TLS, for example `https://kituo.example`: people can sign in " +
      "there, and on the node's own machine under `http://localhost`.",
  }),
  trustedProxy: list(ip).register(described, {
    placeholder: "IP[,...]",
    fallback: "none",
    meaning: "Reverse proxies whose `X-Forwarded-For` is believed: tries to sign in are counted by the address in it.",
  }),
  bootstrap: list(peer).register(described, {
    placeholder: "HOST:PORT[,...]",
    fallback: "bootstrap.jami.net:4222",
    meaning: "DHT nodes to start from; `none` = wait for others.",
  }),
  dhtPort: port().register(described, {
    placeholder: "PORT",
    fallback: "4222",
    meaning: "UDP port of the DHT; 0 = any.",
  }),
  peerPort: port().register(described, {
    placeholder: "PORT",
    fallback: "0",
    meaning: "TCP port for connections with peers; 0 = any.",
  }),
  publicAddress: list(ip).register(described, {
    placeholder: "IP[,...]",
    fallback: "none",
    meaning: "Addresses under which the world sees this machine, when they are not its own.",
  }),
  name: nodeName.register(described, {
    placeholder: "NAME",
    fallback: "Kituo",
    meaning: "Name shown to contacts.",
  }),
  nameServer: nameServer.register(described, {
    placeholder: "URL",
    fallback: "https://ns.jami.net",
    meaning: "Where registered names are looked up and the node registers its own; `none` = nowhere.",
  }),
  serveNames: address().optional().register(described, {
    placeholder: "HOST:PORT",
    meaning: "Be a name server for Jami apps, at this address of its own.",
  }),
  acceptRequests: z.enum(ACCEPT_POLICIES, wrong(`one of ${ACCEPT_POLICIES.join(", ")}`)).register(described, {
    placeholder: "POLICY",
    fallback: "manual",
    meaning: "Contact requests and group invitations: `manual` = an admin decides, " +
      "`allowlist` = accepted from accounts on the allowlist, `anyone` = accepted from all.",
  }),
  allowlist: list(jamiId).register(described, {
    placeholder: "JAMI_ID[,...]",
    fallback: "none",
    meaning: "Accounts that the policy `allowlist` accepts.",
  }),
  offerContact: flag().register(described, {
    placeholder: "BOOLEAN",
    fallback: "true",
    meaning:
      "`true` or `false`: ask every member of a group to become a contact, for today's Jami apps answer calls only from contacts.",
  }),
  enforceModes: flag().register(described, {
    placeholder: "BOOLEAN",
    fallback: "true",
    meaning:
      "`true` or `false`: ban whom a plain member invites into a group of the node's where only admins may invite, " +
      "and invite into public groups who asks.",
  }),
  blind: flag().register(described, {
    placeholder: "BOOLEAN",
    fallback: "false",
    meaning: "`true` or `false`: nobody can read messages through the console or its API, not even with a reason.",
  }),
  picture: path.optional().register(described, {
    placeholder: "FILE",
    meaning: "Picture shown to contacts: PNG or JPEG, at most 256 KiB.",
  }),
  maxFileSize: size().register(described, {
    placeholder: "SIZE",
    fallback: "256M",
    meaning: "Files that members send are fetched up to this size: bytes, or with `K`, `M`, `G`, `T`; 0 = none are.",
  }),
  fileQuota: size().register(described, {
    placeholder: "SIZE",
    fallback: "10G",
    meaning: "Room for all files; when it is full, the oldest of the conversation that uses most give way.",
  }),
  conversationFileQuota: size().register(described, {
    placeholder: "SIZE",
    fallback: "2G",
    meaning: "Room for the files of one conversation; when it is full, its oldest give way.",
  }),
  fileRetentionDays: days.register(described, {
    placeholder: "DAYS",
    fallback: "365",
    meaning: "Files are given up so many days after they were sent; 0 = never.",
  }),
  logLevel: z.enum(logLevels, wrong(`one of ${logLevels.join(", ")}`)).register(described, {
    placeholder: "LEVEL",
    fallback: "info",
    meaning: "Least weight of what is logged on standard error: `debug`, `info`, `warning` or `error`.",
  }),
  logFormat: z.enum(LOG_FORMATS, wrong(`one of ${LOG_FORMATS.join(", ")}`)).register(described, {
    placeholder: "FORMAT",
    fallback: "auto",
    meaning: "How the log is written: `text` for people, `json` = one object a line, `auto` = text on a terminal only.",
  }),
  otlpEndpoint: collector.optional().register(described, {
    placeholder: "URL",
    meaning: "OpenTelemetry collector that is sent spans (OTLP/HTTP with JSON), for example `http://127.0.0.1:4318`.",
  }),
  backupDir: path.optional().register(described, {
    placeholder: "DIR",
    meaning: "Make back-ups by itself, into this folder.",
  }),
  backupEvery: whole(1, 24 * 366).register(described, {
    placeholder: "HOURS",
    fallback: "24",
    meaning: "Hours between two back-ups.",
  }),
  backupKeep: whole(1, 10_000).register(described, {
    placeholder: "NUMBER",
    fallback: "7",
    meaning: "Back-ups that are kept in that folder; older ones are removed.",
  }),
  backupPassphraseFile: path.optional().register(described, {
    placeholder: "FILE",
    meaning: "The passphrase of those back-ups, in the first line of a file that only its owner may read.",
  }),
  backupFiles: flag().register(described, {
    placeholder: "BOOLEAN",
    fallback: "true",
    meaning: "`true` or `false`: the files that members sent are in those back-ups, too.",
  }),
}).superRefine(({ http, serveNames }, { addIssue }) => {
  if (!serveNames || !areOnePlace(http, serveNames)) return;
  addIssue({ code: "custom", path: ["serveNames"], message: "must be another address or port than the console's" });
});

/** Can only one of two servers listen where these say? */
function areOnePlace(a: HostPort, b: HostPort): boolean {
  const isAny = ({ host }: HostPort) => ["0.0.0.0", "::", "localhost"].includes(host);
  return a.port !== 0 && a.port === b.port && (a.host === b.host || isAny(a) || isAny(b));
}

/** The settings of a node. */
export type Config = z.infer<typeof schema>;

/** The flags without a value. They are answered before anything else is read. */
const switches = { help: "Show this help.", version: "Show the version." };

/** One setting with its names. */
export interface Option extends OptionText {
  key: keyof Config;
  flag: string;
  variable: string;
  /** its key in `kituo.json`, "" = it has no place there */
  fileKey: string;
}

/** Every setting, in the order of the help. */
export const options: readonly Option[] = Object.entries(schema.shape).map(([name, field]) => {
  const key = name as keyof Config; // reason: the type is made from this very object
  const words = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const text = described.get(field);
  if (!text) throw new ConfigError(`${key} is not described`);
  return {
    ...text,
    key,
    flag: `--${words}`,
    variable: `KITUO_${words.replaceAll("-", "_").toUpperCase()}`,
    fileKey: key === "config" ? "" : key,
  };
});

/** A raw value and where it came from, with the name that error lines have for that. */
interface Given {
  value: unknown;
  source: "flag" | "environment" | "file" | "default";
  from: string;
}

/** Where the values of a configuration came from. */
export interface Origins {
  /** Where a value came from: undefined = from nowhere, it is not set. */
  of(key: keyof Config): Pick<Given, "source" | "from"> | undefined;
  /**
   * The configuration that a start would have now.
   * @param changes what would stand in the settings file in place of what does; undefined = not there
   * @throws {ConfigError}
   */
  again(changes?: Readonly<Record<string, unknown>>): Config;
}

const origins = new WeakMap<Config, Origins>();

/** Where the values of a configuration that {@link parseConfig} gave came from. */
export function originsOf(config: Config): Origins {
  const known = origins.get(config);
  if (!known) throw new ConfigError("this configuration was not read from anywhere");
  return known;
}

/** What is wrong with a value; null = it can be used. */
export function problemOf(key: keyof Config, value: unknown): string | null {
  const result = schema.shape[key].safeParse(value);
  return result.success ? null : result.error.issues[0].message;
}

/** Does the command line ask for a text to be shown instead of a node to be run? */
export function asksFor(argv: readonly string[]): "help" | "version" | null {
  if (argv.includes("--help") || argv.includes("-h")) return "help";
  return argv.includes("--version") ? "version" : null;
}

/**
 * The settings from all their sources.
 * @param argv the command line without the program
 * @param env reads an environment variable; an empty one counts as unset
 * @param readFile the text of a file, `undefined` when there is none
 * @throws {ConfigError} at the first value that cannot be used
 */
export function parseConfig(
  argv: readonly string[],
  env: (name: string) => string | undefined,
  readFile: (path: string) => string | undefined,
): Config {
  const given = new Map([...readEnvironment(env), ...readFlags(argv)]);
  const all = new Map([...defaults(), ...readSettingsFile(given, readFile), ...given]);
  const result = schema.safeParse(Object.fromEntries([...all].map(([key, { value }]) => [key, value])));
  if (result.success) {
    origins.set(result.data, {
      of: (key) => all.get(key),
      again: (changes = {}) => parseConfig(argv, env, (path) => withChanges(path, readFile(path), changes)),
    });
    return result.data;
  }
  const issue = result.error.issues[0];
  const from = all.get(String(issue.path[0]))?.from ?? "settings";
  throw new ConfigError(`${from}: ${issue.message}`);
}

/** The text of a settings file with other values in it. */
function withChanges(path: string, text: string | undefined, changes: Readonly<Record<string, unknown>>) {
  if (Object.keys(changes).length === 0) return text;
  return JSON.stringify({ ...text === undefined ? {} : parseObject(path, text), ...changes });
}

/** The settings of this process: {@link parseConfig} with its own environment and files. @throws {ConfigError} */
export function loadConfig(argv: readonly string[]): Config {
  return parseConfig(argv, (name) => Deno.env.get(name), (path) => {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  });
}

/**
 * Splits `HOST:PORT`. The host is a name, an IPv4 address, or an IPv6 address in brackets.
 * @returns null when it is not that
 */
export function parseHostPort(text: string): HostPort | null {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/i.exec(text);
  if (!match || Number(match[3]) > 65535) return null;
  const [, v6, name, port] = match;
  const isHost = v6 === undefined ? isIP(name) === 4 || isHostName(name) : isIP(v6) === 6;
  return isHost ? { host: v6 ?? name, port: Number(port) } : null;
}

/** `HOST:PORT` as one text, IPv6 in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The text that `--help` prints. */
export function configHelp(): string {
  const rows = options.map((o): [string, string] => [
    `${o.flag} ${o.placeholder}`,
    `${o.meaning.replaceAll("`", "")} (${o.variable}${o.fallback === undefined ? "" : `; default ${o.fallback}`})`,
  ]);
  rows.push(...Object.entries(switches).map(([name, meaning]): [string, string] => [`--${name}`, meaning]));
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `Kituo ${VERSION}: an always-on Jami peer that delivers what members missed.`,
    "",
    "Usage: deno task start [OPTION VALUE]...",
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    "",
    "A flag wins over its environment variable, that over kituo.json, that over the default.",
  ].join("\n");
}

/** The settings as a Markdown table, as `deno fmt` would lay it out. */
export function configTable(): string {
  const code = (text: string) => text === "" ? "" : `\`${text}\``;
  const rows = [
    ["Flag", "Environment", "`kituo.json`", "Default", "Meaning"],
    ...options.map((o) => [
      code(`${o.flag} ${o.placeholder}`),
      code(o.variable),
      code(o.fileKey),
      code(o.fallback ?? ""),
      o.meaning,
    ]),
    ...Object.entries(switches).map(([name, meaning]) => [code(`--${name}`), "", "", "", meaning]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const [head, ...body] = rows.map((row) => line(row.map((cell, column) => cell.padEnd(widths[column]))));
  return [head, line(widths.map((width) => "-".repeat(width))), ...body].join("\n");
}

function isHostName(text: string): boolean {
  const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;
  const labels = text.replace(/\.$/, "").split(".");
  // a last label of digits only would be read as an IPv4 address by some programs
  return text.length <= 253 && labels.every((l) => label.test(l)) && !/^[0-9]+$/.test(labels[labels.length - 1]);
}

function defaults(): [string, Given][] {
  return options.flatMap(({ key, fallback }): [string, Given][] =>
    fallback === undefined ? [] : [[key, { value: fallback, source: "default", from: "default" }]]
  );
}

function readEnvironment(env: (name: string) => string | undefined): [string, Given][] {
  return options.flatMap(({ key, variable }): [string, Given][] => {
    const value = env(variable);
    return value === undefined || value === "" ? [] : [[key, { value, source: "environment", from: variable }]];
  });
}

function readFlags(argv: readonly string[]): Map<string, Given> {
  const found = new Map<string, Given>();
  for (let i = 0; i < argv.length; i++) {
    const [, flag, inline] = /^(--[^=]+)(?:=(.*))?$/s.exec(argv[i]) ?? [];
    if (flag === undefined) throw new ConfigError(`${shown(argv[i])} is not a flag: see --help`);
    if (Object.hasOwn(switches, flag.slice(2)) && inline === undefined) continue;
    const option = options.find((o) => o.flag === flag);
    if (!option) throw new ConfigError(`${shown(flag)} is not a known flag: see --help`);
    if (found.has(option.key)) throw new ConfigError(`${flag} is given twice`);
    const isBare = option.bare && inline === undefined && (argv[i + 1] ?? "--").startsWith("--");
    const value = inline ?? (isBare ? "true" : argv[++i]);
    if (value === undefined || (inline === undefined && value.startsWith("--"))) {
      throw new ConfigError(`${flag} needs a value: ${flag} ${option.placeholder}`);
    }
    found.set(option.key, { value, source: "flag", from: flag });
  }
  return found;
}

function readSettingsFile(
  given: Map<string, Given>,
  readFile: (path: string) => string | undefined,
): [string, Given][] {
  const named = given.get("config");
  const folder = given.get("data")?.value ?? schema.shape.data.parse(described.get(schema.shape.data)?.fallback);
  const file = named ? String(named.value) : join(String(folder), "kituo.json");
  const text = readOrRefuse(file, readFile);
  if (text === undefined) {
    if (named) throw new ConfigError(`${named.from}: there is no file ${shown(file)}`);
    return [];
  }
  return Object.entries(parseObject(file, text)).map(([key, value]): [string, Given] => {
    if (!options.some((option) => option.fileKey === key)) {
      throw new ConfigError(`${file}: ${shown(key)} is not a known key`);
    }
    if (key === "data" && !named) {
      throw new ConfigError(`${file}: "data" has no meaning here, for the file was found in the data folder`);
    }
    return [key, { value, source: "file", from: `${file}: ${key}` }];
  });
}

function readOrRefuse(file: string, readFile: (path: string) => string | undefined): string | undefined {
  try {
    return readFile(file);
  } catch (error) {
    // A folder that Deno lets nobody into without all rights, such as /proc: the start says so of the folder as a whole.
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw new ConfigError(`cannot read ${shown(file)}: ${oneLine(messageOf(error))}`, { cause: error });
  }
}

function parseObject(file: string, text: string): object {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${file} is not JSON: ${oneLine(messageOf(error))}`, { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new ConfigError(`${file}: an object { "key": value } is expected`);
  }
  return parsed;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
