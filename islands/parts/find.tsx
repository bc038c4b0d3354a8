/** Searching in one conversation. Only who may read it may search: that something is found tells what was said. */

import { useRef, useState } from "preact/hooks";
import type { ShownMessage } from "../../routes/privacy.ts";
import type { Texts } from "../../routes/texts/en.ts";
import { ask } from "./api.ts";
import { When, Who } from "./ui.tsx";
import { plural } from "./words.ts";

/** Characters of a text that a result shows. */
const MAX_EXCERPT = 160;
/** Results asked for. */
const LIMIT = 50;

interface FindProps {
  id: string;
  lang: string;
  t: Texts["timeline"];
  common: Texts["common"];
  names: Record<string, string>;
  onChoose: (message: string) => void;
}

export function Find({ id, lang, t, common, names, onChoose }: FindProps) {
  const [found, setFound] = useState<ShownMessage[] | null>(null);
  const [problem, setProblem] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const search = async (event: Event) => {
    event.preventDefault();
    const q = field.current?.value.trim() ?? "";
    if (q === "") return setFound(null);
    const query = new URLSearchParams({ q, limit: `${LIMIT}` });
    const answer = await ask<{ results: { message: ShownMessage }[] }>("GET", `/conversations/${id}/search?${query}`);
    setProblem(answer.ok ? "" : answer.reason || common.unreachable);
    setFound(answer.ok ? answer.data.results.map(({ message }) => message) : null);
  };
  const clear = () => {
    if (field.current) field.current.value = "";
    setFound(null);
    field.current?.focus();
  };
  return (
    <section class="mb-4" aria-label={t.search}>
      <form role="search" class="flex flex-wrap gap-2" onSubmit={search}>
        <input
          ref={field}
          class="field flex-1 min-w-[180px]"
          type="search"
          name="q"
          maxLength={200}
          placeholder={t.search}
          aria-label={t.search}
          data-search
        />
        <button type="submit" class="button">{t.searchGo}</button>
        {found && <button type="button" class="button" onClick={clear}>{t.searchEnd}</button>}
      </form>
      <p role="status" class={`text-sm ${problem ? "text-bad" : "text-muted"} mt-2`}>
        {problem || (found && (found.length === 0 ? t.nothingFound : plural(lang, found.length, t.found)))}
      </p>
      {found && found.length > 0 && (
        <ul class="panel divide-y divide-line mt-2 max-h-80 overflow-y-auto">
          {found.map((message) => (
            <li key={message.id}>
              <a
                href={`?at=${message.id}`}
                class="block px-5 py-3 hover:bg-sunken"
                onClick={(event) => {
                  event.preventDefault();
                  onChoose(message.id);
                }}
              >
                <span class="flex flex-wrap items-baseline gap-x-2">
                  <Who id={message.author} name={names[message.author]} />
                  <span class="text-xs text-muted">
                    <When at={message.timestamp} lang={lang} />
                  </span>
                </span>
                <span class="block text-sm break-words">
                  <bdi>{excerptOf(message)}</bdi>
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function excerptOf({ entry }: ShownMessage): string {
  const text = entry.kind === "text" ? entry.text : entry.kind === "file" ? entry.file.name : "";
  return text && text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text ?? "";
}
