/** The timeline of a conversation, newest first. What was said is hidden until an admin says why they must read it. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ShownMessage } from "../routes/privacy.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { Entry } from "./parts/entry.tsx";
import { useEvents } from "./parts/live.ts";
import { Veil } from "./parts/veil.tsx";
import { useWindow } from "./parts/virtual.ts";

/** Entries fetched at a time, and how many before the end the next are. */
const PAGE = 300;
const AHEAD = 60;
/** Rows that stand there before the page lives. */
const FIRST_ROWS = 30;

interface Props {
  lang: string;
  t: Texts["timeline"];
  common: Texts["common"];
  id: string;
  /** of members, by Jami ID */
  names: Record<string, string>;
  first: ShownMessage[];
  /** does `first` hold everything? */
  whole: boolean;
  /** until when texts may be read, seconds since 1970 */
  until: number | null;
  blind: boolean;
}

export default function Timeline({ lang, t, common, id, names, first, whole, until: granted, blind }: Props) {
  const [messages, setMessages] = useState(first);
  const [done, setDone] = useState(whole);
  const [until, setUntil] = useState(granted);
  const [problem, setProblem] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const loading = useRef(false);
  const drawn = useWindow(messages.map((message) => message.id), list, FIRST_ROWS);

  /** Fetches a page: what follows `before`, or all from the start anew. */
  const load = async (before?: string) => {
    if (loading.current) return;
    loading.current = true;
    const after = before === undefined ? "" : `&before=${before}`;
    const answer = await ask<{ messages: ShownMessage[] }>(
      "GET",
      `/conversations/${id}/messages?view=entries&limit=${PAGE}${after}`,
    );
    loading.current = false;
    if (!answer.ok) return setProblem(answer.reason || common.unreachable);
    setProblem("");
    setMessages((known) => before === undefined ? answer.data.messages : [...known, ...answer.data.messages]);
    setDone(answer.data.messages.length < PAGE);
  };
  useEffect(() => {
    if (!done && drawn.total !== null && drawn.to > messages.length - AHEAD) load(messages.at(-1)?.id);
  }, [drawn.to, messages.length, done]);

  useEvents({
    message: ({ conversationId, message }: { conversationId: string; message: ShownMessage }) => {
      if (conversationId !== id) return;
      // a merge puts older messages between those that are here
      if (message.entry.kind === "merge") load();
      else setMessages((known) => withMessage(known, message));
    },
    reset: () => load(),
  });

  const reveal = (till: number | null) => {
    setUntil(till);
    load();
  };
  useEffect(() => {
    if (until === null) return;
    const timer = setTimeout(() => reveal(null), until * 1000 - Date.now());
    return () => clearTimeout(timer);
  }, [until]);

  const byId = new Map(messages.map((message) => [message.id, message]));
  return (
    <>
      <Veil {...{ id, lang, t, common, until, blind }} onChange={reveal} />
      {messages.length === 0 ? <p class="panel p-8 text-center text-muted">{t.empty}</p> : (
        <div
          class="panel relative overflow-hidden"
          style={drawn.total === null ? undefined : { height: `${drawn.total + 2}px` }}
        >
          <ol
            ref={list}
            class="divide-y divide-line"
            style={drawn.top === null ? undefined : { transform: `translateY(${drawn.top}px)` }}
            aria-label={t.newest}
          >
            {messages.slice(drawn.from, drawn.to).map((message) => (
              <Entry key={message.id} {...{ message, lang, t, common, names }} answers={answered(message, byId)} />
            ))}
          </ol>
        </div>
      )}
      <p class="mt-3 text-sm text-muted text-center" role="status">
        {problem ? problem : done ? t.end : t.loading}
      </p>
    </>
  );
}

/** The message that this one answers, when it is here. */
function answered({ entry }: ShownMessage, byId: Map<string, ShownMessage>): ShownMessage | undefined {
  return "replyTo" in entry && entry.replyTo ? byId.get(entry.replyTo) : undefined;
}

/** What is shown after one more commit. */
function withMessage(known: ShownMessage[], message: ShownMessage): ShownMessage[] {
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
      return { ...one, entry: { ...shown, reactions: [...shown.reactions, reaction] } as ShownMessage["entry"] }; // reason: the same kind, one reaction more
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
