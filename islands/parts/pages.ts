/** The part of a conversation that a timeline has loaded: it grows at both ends, and can be put elsewhere. */

import { useRef, useState } from "preact/hooks";
import type { ShownMessage } from "../../routes/privacy.ts";
import { ask } from "./api.ts";

/** Entries fetched at a time; and how many newer ones around an entry that is jumped to. */
const PAGE = 300;
const NEWER = 60;

/** What is loaded, and what there is beyond. */
export interface Part {
  /** newest first */
  messages: ShownMessage[];
  /** is the newest entry among them? */
  newest: boolean;
  /** is the oldest? */
  oldest: boolean;
}

/** A part, and what can be done with it. */
export interface Pages extends Part {
  /** why the last page could not be fetched; "" = it could */
  problem: string;
  /** Fetches the next older, or newer, page. */
  more: (way: "older" | "newer") => Promise<void>;
  /** Loads the newest entries, or those around one, in place of what is there. @returns whether they are there now */
  load: (around?: string) => Promise<boolean>;
  /** Changes what is there. */
  change: (changed: (known: ShownMessage[]) => ShownMessage[]) => void;
}

/** @param unreachable what to say when the node does not answer */
export function usePages(id: string, first: Part, unreachable: string): Pages {
  const [part, setPart] = useState(first);
  const [problem, setProblem] = useState("");
  const latest = useRef(part);
  latest.current = part;
  /** which fetch may still change something: one that began before a jump may not */
  const turn = useRef({ n: 0, busy: false });

  const fetchPage = async (limit: number, where: { before?: string; after?: string } = {}) => {
    const query = new URLSearchParams({ view: "entries", limit: `${limit}`, ...where });
    const answer = await ask<{ messages: ShownMessage[] }>("GET", `/conversations/${id}/messages?${query}`);
    setProblem(answer.ok ? "" : answer.reason || unreachable);
    return answer.ok ? answer.data.messages : null;
  };
  const more: Pages["more"] = async (way) => {
    if (turn.current.busy) return;
    turn.current.busy = true;
    const { n } = turn.current, { messages } = latest.current;
    const at = (way === "older" ? messages.at(-1) : messages[0])?.id;
    const found = at === undefined ? [] : await fetchPage(PAGE, way === "older" ? { before: at } : { after: at });
    if (n !== turn.current.n) return;
    turn.current.busy = false;
    if (!found) return;
    const whole = found.length < PAGE;
    setPart((known) =>
      way === "older"
        ? { ...known, messages: [...known.messages, ...found], oldest: whole }
        : { ...known, messages: [...found, ...known.messages], newest: whole }
    );
  };
  const load: Pages["load"] = async (around) => {
    const n = ++turn.current.n;
    turn.current.busy = true;
    const newer = around === undefined ? [] : await fetchPage(NEWER, { after: around });
    const before = newer?.at(-1)?.id;
    const older = newer && await fetchPage(PAGE, before === undefined ? {} : { before });
    if (n !== turn.current.n) return false;
    turn.current.busy = false;
    if (!newer || !older) return false;
    setPart({ messages: [...newer, ...older], newest: newer.length < NEWER, oldest: older.length < PAGE });
    return true;
  };
  return {
    ...part,
    problem,
    more,
    load,
    change: (to) => setPart((known) => ({ ...known, messages: to(known.messages) })),
  };
}

/** What is shown after one more commit came in at the new end. */
export function withMessage(known: ShownMessage[], message: ShownMessage): ShownMessage[] {
  const { entry } = message;
  if (entry.kind === "initial") return known;
  if (entry.kind !== "edit" && entry.kind !== "reaction") {
    return [message, ...known.filter(({ id }) => id !== message.id)];
  }
  return known.map((one) => {
    const shown = one.entry;
    if (one.id !== entry.target) return one;
    if (entry.kind === "reaction" && "reactions" in shown && entry.body !== "") {
      const reaction = { id: message.id, author: message.author, body: entry.body };
      return {
        ...one,
        entry: {
          ...shown,
          reactions: [...shown.reactions.filter(({ id }) => id !== message.id), reaction],
        } as ShownMessage["entry"],
      }; // reason: the same kind, one reaction more
    }
    if (entry.kind === "edit" && shown.kind === "text") {
      return {
        ...one,
        entry: { ...shown, text: entry.text, edited: true, deleted: entry.text === "" } as ShownMessage["entry"],
      }; // reason: as above, another text
    }
    return one;
  });
}
