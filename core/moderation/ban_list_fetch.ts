/**
 * Fetches one list of bans. Its server may be anybody's, later if not now: it gets so much time and so many bytes, and it cannot lead us to an address of our
 * own network, neither by a redirect nor by its name: the address that was checked is the one that is connected with.
 */

import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isPublicAddress } from "../base/addresses.ts";
import { strictText } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { ListError, type ReadList, readList } from "./ban_list_format.ts";
import { LIST_REDIRECTS, LIST_TIMEOUT_MS, MAX_LIST_BYTES } from "./constants.ts";

/** Characters of an ETag that are kept: servers send short ones. */
const MAX_ETAG = 256;

/** What to fetch. */
export interface ListSource {
  url: string;
  /** may it be plain HTTP, and at an address of a private network? */
  allowPrivate: boolean;
  /** what the server called the version that is here; "" = none is */
  etag: string;
}

/** A list that came, or "unchanged". */
export type FetchedList = "unchanged" | ReadList & { etag: string };

/** The addresses of a host. */
export type Resolve = (host: string) => Promise<{ address: string; family: number }[]>;

/** How a name is looked up unless a test says otherwise. */
const system: Resolve = (host) => lookup(host, { all: true });

/** Why a list may not be fetched from there; null = it may. */
export function unfitUrl(url: string, allowPrivate: boolean): string | null {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return "a list is fetched from an https address";
  if (parsed.protocol === "http:" && !allowPrivate) {
    return "a list is fetched from an https address: who is on the way could change it";
  }
  if (parsed.username || parsed.password) return "the address may hold no password";
  return null;
}

/** @throws {ListError} */
export async function fetchList(source: ListSource, clock: Clock, resolve = system): Promise<FetchedList> {
  const late = new AbortController();
  const cancel = clock.after(LIST_TIMEOUT_MS, () => late.abort());
  try {
    return await follow(source, late.signal, resolve);
  } catch (error) {
    if (late.signal.aborted) throw new ListError(`no whole answer within ${LIST_TIMEOUT_MS / 1000} s`);
    if (error instanceof ListError) throw error;
    throw new ListError(messageOf(error), { cause: error });
  } finally {
    cancel();
  }
}

async function follow(source: ListSource, signal: AbortSignal, resolve: Resolve): Promise<FetchedList> {
  let { url } = source;
  for (let redirects = 0; redirects <= LIST_REDIRECTS; redirects++) {
    const unfit = unfitUrl(url, source.allowPrivate);
    if (unfit) throw new ListError(unfit);
    const response = await ask(url, source, signal, resolve);
    const status = response.statusCode ?? 0;
    const location = response.headers.location;
    if ([301, 302, 303, 307, 308].includes(status) && location !== undefined) {
      response.destroy();
      const next = URL.parse(location, url);
      if (!next) throw new ListError("the server leads to no address");
      url = next.href;
      continue;
    }
    if (status === 304 && source.etag !== "") {
      response.destroy();
      return "unchanged";
    }
    if (status !== 200) {
      response.destroy();
      throw new ListError(`the server answers with status ${status}`);
    }
    const list = readList(parse(await whole(response)));
    return { ...list, etag: `${response.headers.etag ?? ""}`.slice(0, MAX_ETAG) };
  }
  throw new ListError("the server leads from one address to another");
}

async function ask(
  url: string,
  { allowPrivate, etag }: ListSource,
  signal: AbortSignal,
  resolve: Resolve,
): Promise<IncomingMessage> {
  const { hostname, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const [place] = await addressesOf(host, allowPrivate, resolve);
  const options: RequestOptions = {
    signal,
    agent: false,
    headers: { accept: "application/json", "accept-encoding": "identity", ...etag && { "if-none-match": etag } },
    // no second look-up, whose answer could be another
    lookup: (_host, { all }, done) => all ? done(null, [place]) : done(null, place.address, place.family),
  };
  return await new Promise((done, fail) => {
    const request = (protocol === "https:" ? httpsRequest : httpRequest)(url, options, done);
    request.on("error", fail);
    request.end();
  });
}

/** @throws {ListError} when there is none that may be connected with */
async function addressesOf(host: string, allowPrivate: boolean, resolve: Resolve) {
  const family = isIP(host);
  const all = family ? [{ address: host, family }] : await resolve(host);
  const fit = all.filter(({ address }) => allowPrivate || isPublicAddress(address));
  if (fit.length > 0) return fit;
  throw new ListError(all.length ? "the address is one of a private network" : "the server has no address");
}

async function whole(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > MAX_LIST_BYTES) {
      response.destroy();
      throw new ListError(`the list has more than ${MAX_LIST_BYTES / 2 ** 20} MiB`);
    }
    chunks.push(chunk);
  }
  if (!response.complete) throw new ListError("the answer ends before its end");
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(strictText(bytes) ?? "");
  } catch {
    throw new ListError("the answer is not JSON");
  }
}
