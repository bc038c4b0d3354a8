/** The timeline of a conversation, newest first. What was said is hidden until an admin says why they must read it. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ShownMessage } from "../routes/privacy.ts";
import type { Texts } from "../routes/texts/en.ts";
import { dayOf, useLocalDays } from "./parts/days.ts";
import { Entry } from "./parts/entry.tsx";
import { Find } from "./parts/find.tsx";
import { useEvents } from "./parts/live.ts";
import { type Part, usePages, withMessage } from "./parts/pages.ts";
import { Veil } from "./parts/veil.tsx";
import { useWindow } from "./parts/virtual.ts";

/** So many entries before an end of what is loaded, more is fetched. */
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
  first: Part;
  /** the entry that the address names; "" = none */
  at: string;
  /** until when texts may be read, seconds since 1970 */
  until: number | null;
  blind: boolean;
}

export default function Timeline({ lang, t, common, id, names, first, at, until: granted, blind }: Props) {
  const pages = usePages(id, first, common.unreachable);
  const { messages, newest, oldest } = pages;
  const [until, setUntil] = useState(granted);
  const [chosen, setChosen] = useState(at);
  const list = useRef<HTMLOListElement>(null);
  const keys = useMemo(() => messages.map((message) => message.id), [messages]);
  const byId = useMemo(() => new Map(messages.map((message) => [message.id, message])), [messages]);
  const drawn = useWindow(keys, list, FIRST_ROWS);
  const zone = useLocalDays();

  useEffect(() => {
    if (drawn.total === null) return;
    if (!oldest && drawn.to > messages.length - AHEAD) pages.more("older");
    else if (!newest && drawn.from < AHEAD) pages.more("newer");
  }, [drawn.from, drawn.to, messages.length, oldest, newest]);

  useEvents({
    message: ({ conversationId, message }: { conversationId: string; message: ShownMessage }) => {
      if (conversationId !== id) return;
      const here = message.entry.kind === "edit" || message.entry.kind === "reaction";
      // a merge puts older messages between those that are here
      if (message.entry.kind === "merge") pages.load(newest ? undefined : keys[drawn.from]);
      else if (newest || here) pages.change((known) => withMessage(known, message));
    },
    reset: () => pages.load(newest ? undefined : keys[drawn.from]),
  });

  /** Goes to an entry, and lets the address say so. */
  const wanted = useRef(at);
  const choose = async (entry: string) => {
    wanted.current = entry;
    setChosen(entry);
    history.replaceState(null, "", `?at=${entry}`);
    if (!byId.has(entry)) await pages.load(entry);
    else drawn.jump(entry);
  };
  useEffect(() => {
    if (drawn.total === null || !byId.has(wanted.current)) return;
    drawn.jump(wanted.current);
    wanted.current = "";
  }, [byId, drawn.total === null]);

  const reveal = (till: number | null) => {
    setUntil(till);
    pages.load(newest && drawn.from === 0 ? undefined : keys[drawn.from]);
  };
  useEffect(() => {
    if (until === null) return;
    const timer = setTimeout(() => reveal(null), until * 1000 - Date.now());
    return () => clearTimeout(timer);
  }, [until]);

  const top = () => {
    setChosen("");
    history.replaceState(null, "", location.pathname);
    pages.load();
    scrollTo(0, 0);
  };
  return (
    <>
      <Veil {...{ id, lang, t, common, until, blind }} onChange={reveal} />
      {until !== null && <Find {...{ id, lang, t, common, names }} onChoose={choose} />}
      {messages.length === 0 ? <p class="panel p-8 text-center text-muted">{t.empty}</p> : (
        <div
          class="panel relative overflow-hidden"
          style={drawn.total === null ? undefined : { height: `${drawn.total + 2}px` }}
        >
          <ol
            ref={list}
            style={drawn.top === null ? undefined : { transform: `translateY(${drawn.top}px)` }}
            aria-label={t.newest}
          >
            {messages.slice(drawn.from, drawn.to).map((message, i) => (
              <Entry
                key={message.id}
                {...{ message, lang, t, common, names, zone }}
                answers={answered(message, byId)}
                day={dayBefore(messages, drawn.from + i, zone)}
                chosen={message.id === chosen}
                onChoose={choose}
              />
            ))}
          </ol>
        </div>
      )}
      {!newest && (
        <p class="sticky bottom-20 md:bottom-5 mt-4 text-center z-10">
          <button type="button" class="button primary shadow" onClick={top}>{t.toNewest}</button>
        </p>
      )}
      <p class="mt-3 text-sm text-muted text-center" role="status">
        {pages.problem ? pages.problem : oldest ? t.end : t.loading}
      </p>
    </>
  );
}

/** The message that this one answers, when it is here. */
function answered({ entry }: ShownMessage, byId: Map<string, ShownMessage>): ShownMessage | undefined {
  return "replyTo" in entry && entry.replyTo ? byId.get(entry.replyTo) : undefined;
}

/** The day that begins, for who reads downwards, with this entry; null = it is of the same day as the one above. */
function dayBefore(messages: ShownMessage[], i: number, zone: boolean): string | null {
  const day = dayOf(messages[i].timestamp, zone);
  return i > 0 && dayOf(messages[i - 1].timestamp, zone) === day ? null : day;
}
