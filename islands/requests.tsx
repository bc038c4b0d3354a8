/** Who waits for a decision: accepted, declined or blocked by click or key, one by one or many at once. */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { PendingRequest } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import { plain } from "./parts/given.tsx";
import { ask } from "./parts/api.ts";
import { useEvents } from "./parts/live.ts";
import { Badge, When } from "./parts/ui.tsx";
import { fill, plural } from "./parts/words.ts";

type Answer = "accept" | "decline" | "block";
const DONE = { accept: "accepted", decline: "declined", block: "blocked" } as const;
const KEYS: Record<string, Answer> = { a: "accept", d: "decline", b: "block" };

interface Props {
  lang: string;
  t: Texts["requests"];
  common: Texts["common"];
  first: PendingRequest[];
}

export default function Requests({ lang, t, common, first }: Props) {
  const [all, setAll] = useState(first);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const list = useRef<HTMLUListElement>(null);
  const gone = (id: string) => {
    setAll((before) => before.filter((request) => request.id !== id));
    setChosen((before) => new Set([...before].filter((other) => other !== id)));
  };
  useEvents({
    request: (data: PendingRequest) => setAll((before) => [data, ...before.filter(({ id }) => id !== data.id)]),
    "request-gone": ({ id }: { id: string }) => gone(id),
  });

  // answers that are asked for quickly go one behind the other, and none twice
  const line = useRef(Promise.resolve());
  const asked = useRef(new Set<string>());
  const answer = (kind: Answer, wanted: string[]) => {
    const ids = wanted.filter((id) => !asked.current.has(id));
    if (ids.length === 0) return;
    for (const id of ids) asked.current.add(id);
    line.current = line.current.then(() => send(kind, ids));
  };
  const send = async (kind: Answer, ids: string[]) => {
    setBusy(true);
    setSaid("");
    let done = 0;
    let problem = "";
    for (const id of ids) {
      const result = await ask("POST", `/requests/${id}/${kind}`);
      if (result.ok || result.status === 404) gone(id);
      if (result.ok) done++;
      else problem = result.reason || common.unreachable;
      asked.current.delete(id);
    }
    setSaid(problem ? fill(common.failed, { reason: problem }) : plural(lang, done, t[DONE[kind]]));
    setBusy(false);
  };
  const toggle = (id: string) =>
    setChosen((before) =>
      before.has(id) ? new Set([...before].filter((other) => other !== id)) : new Set([...before, id])
    );

  /** The row that has the focus, or holds what has it. */
  const rows = () => [...list.current?.querySelectorAll<HTMLElement>("[data-id]") ?? []];
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = rows().findIndex((row) => row.contains(document.activeElement));
    const id = rows()[at]?.dataset.id;
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    if (step !== undefined) rows()[Math.max(0, Math.min(rows().length - 1, at + step))]?.focus();
    else if (event.key === "x" && id) toggle(id);
    else if (KEYS[event.key]) answer(KEYS[event.key], chosen.size > 0 ? [...chosen] : id ? [id] : []);
    else return;
    event.preventDefault();
  };
  // when the focused row went away with its request, the next one takes over
  const focused = useRef<number>(-1);
  useLayoutEffect(() => {
    if (focused.current >= 0 && document.activeElement === document.body) {
      rows()[Math.min(focused.current, rows().length - 1)]?.focus();
    }
  }, [all]);

  return (
    <>
      <p class="sr-only" role="status">{said}</p>
      {all.length === 0
        ? (
          <div class="panel p-8 text-center">
            <p class="text-lg font-medium">{t.none}</p>
            <p class="text-muted mt-1">{t.noneHint}</p>
            <p class="mt-4">
              <a class="button" href="/add">{common.addNode}</a>
            </p>
            {said && <p class="mt-3 text-sm text-accent" aria-hidden="true">{said}</p>}
          </div>
        )
        : (
          <>
            <div class="flex flex-wrap items-center gap-2 mb-3">
              <label class="flex items-center gap-2 text-sm mr-auto min-h-[32px]">
                <input
                  type="checkbox"
                  checked={chosen.size === all.length}
                  onChange={() => setChosen(chosen.size === all.length ? new Set() : new Set(all.map(({ id }) => id)))}
                />
                {chosen.size > 0 ? plural(lang, chosen.size, t.selected) : t.selectAll}
                {said && chosen.size === 0 && <span class="text-accent" aria-hidden="true">· {said}</span>}
              </label>
              {chosen.size > 0 && <Buttons t={t} busy={busy} onAnswer={(kind) => answer(kind, [...chosen])} />}
            </div>
            <ul
              ref={list}
              class="panel divide-y divide-line"
              onKeyDown={onKey}
              onFocusIn={() => focused.current = rows().findIndex((row) => row.contains(document.activeElement))}
            >
              {all.map((request, i) => (
                <li
                  key={request.id}
                  data-id={request.id}
                  tabIndex={i === 0 ? 0 : -1}
                  class="flex flex-wrap items-center gap-x-4 gap-y-3 px-5 py-4"
                >
                  <input
                    type="checkbox"
                    aria-label={fill(t.select, { name: plain(nameOf(request, t)) })}
                    checked={chosen.has(request.id)}
                    onChange={() => toggle(request.id)}
                  />
                  <div class="flex-1 min-w-[220px]">
                    <p class="flex flex-wrap items-center gap-2">
                      <bdi class="font-semibold min-w-0">{nameOf(request, t)}</bdi>
                      <Badge tone={request.kind === "contact" ? "plain" : "accent"}>
                        {request.kind === "contact" ? t.contact : t.invitation}
                      </Badge>
                    </p>
                    <p class="text-xs sm:text-sm text-muted break-all">
                      {request.kind === "conversation" && `${t.from} `}
                      <code>{request.jamiId}</code>
                    </p>
                    <p class="text-sm text-muted">
                      <When at={request.received} lang={lang} />
                    </p>
                  </div>
                  <div class="flex gap-2">
                    <Buttons t={t} busy={busy} onAnswer={(kind) => answer(kind, [request.id])} />
                  </div>
                </li>
              ))}
            </ul>
            <p class="hidden md:block mt-3 text-sm text-muted">{t.keys}</p>
          </>
        )}
    </>
  );
}

/** What it is called: the group, or who asks. */
function nameOf({ title, kind, name, registeredName }: PendingRequest, t: Texts["requests"]): string {
  return title || (kind === "contact" ? name || registeredName : "") || t.nameless;
}

function Buttons({ t, busy, onAnswer }: { t: Texts["requests"]; busy: boolean; onAnswer: (kind: Answer) => void }) {
  return (
    <>
      <button type="button" class="button small primary" disabled={busy} onClick={() => onAnswer("accept")}>
        {t.accept}
      </button>
      <button type="button" class="button small" disabled={busy} onClick={() => onAnswer("decline")}>
        {t.decline}
      </button>
      <button type="button" class="button small danger" disabled={busy} onClick={() => onAnswer("block")}>
        {t.block}
      </button>
    </>
  );
}
