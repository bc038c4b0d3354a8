/** The files of a conversation. */

import type { FileInfo } from "../core/node_api.ts";
import { plain } from "../islands/parts/given.tsx";
import { Badge, type Tone, When, Who } from "../islands/parts/ui.tsx";
import { bytes, fill } from "../islands/parts/words.ts";
import type { SectionContext } from "./conversation.tsx";
import type { ShownFile } from "./privacy.ts";
import type { Texts } from "./texts/index.ts";

/** Files that the page shows. */
const MAX_FILES = 500;

const TONES: Record<FileInfo["state"], Tone> = {
  waiting: "warn",
  partial: "accent",
  stored: "good",
  "too large": "bad",
  deleted: "plain",
  evicted: "plain",
};

export async function filesSection({ api, page, privacy, caller, conversation, names }: SectionContext) {
  const { lang, t: { files: t } } = page;
  const { items, next } = await api.files(conversation.id, { limit: MAX_FILES });
  if (items.length === 0) return <p class="panel p-8 text-center text-muted">{t.none}</p>;
  const files = items.map((file) => privacy.file(caller, conversation.id, file))
    .toSorted((a, b) => b.timestamp - a.timestamp);
  const mayRead = privacy.mayRead(caller, conversation.id);
  return (
    <>
      <p class="text-sm text-muted mb-3">
        {privacy.blind
          ? t.blind
          : mayRead
          ? t.downloadHint
          : <a class="link" href={`/conversations/${conversation.id}`}>{t.revealFirst}</a>}
      </p>
      <ul class="panel divide-y divide-line">
        {files.map((file) => (
          <li key={file.id} class="px-5 py-3 flex flex-wrap items-center gap-x-4 gap-y-1">
            <span class="flex-1 min-w-[200px] break-words font-medium">
              {file.name !== null
                ? <bdi>{file.name}</bdi>
                : <span class="italic font-normal text-muted">{t.hidden}</span>}
            </span>
            <span class="text-sm text-muted figure">{bytes(lang, file.size)}</span>
            <Badge tone={TONES[file.state]}>{stateOf(file, lang, t)}</Badge>
            {mayRead && file.state === "stored" && (
              <a
                class="button small"
                href={`/api/v1/conversations/${conversation.id}/files/${file.id}/content`}
                download
                aria-label={fill(t.downloadName, { name: plain(file.name ?? "") })}
              >
                {t.download}
              </a>
            )}
            <span class="text-sm text-muted w-full sm:w-auto">
              <Who id={file.author} name={names[file.author]} /> · <When at={file.timestamp} lang={lang} />
            </span>
          </li>
        ))}
      </ul>
      {next !== null && <p class="mt-3 text-sm text-muted">{fill(t.more, { n: MAX_FILES })}</p>}
    </>
  );
}

function stateOf({ state, received, size }: ShownFile, lang: string, t: Texts["files"]): string {
  const part = new Intl.NumberFormat(lang, { style: "percent" }).format(size > 0 ? received / size : 0);
  return fill(t.states[state], { percent: part });
}
