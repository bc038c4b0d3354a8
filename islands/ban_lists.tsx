/** Lists of bans that others keep: subscribing, putting in by hand, fetching, ending. */

import { useState } from "preact/hooks";
import type { BanListInfo } from "../core/node_api.ts";
import type { ModerationTexts } from "../routes/texts/moderation.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { Confirm } from "./parts/dialog.tsx";
import { Empty } from "./parts/empty.tsx";
import { Choice, Field, Switch } from "./parts/form.tsx";
import { useEvents } from "./parts/live.ts";
import { useActing } from "./parts/status.tsx";
import { Badge, When } from "./parts/ui.tsx";
import { fill, plural } from "./parts/words.ts";

interface Props {
  lang: string;
  t: ModerationTexts;
  common: Texts["common"];
  first: BanListInfo[];
  /** may the reader subscribe and end? */
  owner: boolean;
  /** KiB that a file may have */
  fileKiB: number;
}

export default function BanLists({ lang, t, common, first, owner, fileKiB }: Props) {
  const [lists, setLists] = useState(first);
  const [ending, setEnding] = useState<BanListInfo | null>(null);
  const { act, busy, status, say } = useActing(common);
  const refresh = async () => {
    const answer = await ask<{ lists: BanListInfo[] }>("GET", "/ban-lists");
    if (answer.ok) setLists(answer.data.lists);
  };
  useEvents({ moderation: ({ about }: { about: string }) => about === "lists" && refresh(), reset: refresh });
  const fetchNow = async ({ id }: BanListInfo) => {
    const answer = await act<BanListInfo>("POST", `/ban-lists/${id}/refresh`);
    if (answer.ok) {
      say(
        answer.data.error ? fill(t.lists.failed, { reason: answer.data.error }) : t.lists.refreshed,
        answer.data.error !== "",
      );
    }
    await refresh();
  };
  const end = async ({ id }: BanListInfo) => {
    setEnding(null);
    await act("DELETE", `/ban-lists/${id}`, undefined, t.lists.removed);
    await refresh();
  };
  const put = async (file: File) => {
    if (file.size > fileKiB * 1024) return say(t.lists.fileTooLarge, true);
    try {
      await act("POST", "/ban-lists/files", JSON.parse(await file.text()), t.lists.subscribed);
    } catch {
      say(t.lists.fileNotJson, true);
    }
    await refresh();
  };
  return (
    <>
      {owner
        ? (
          <Subscribe
            {...{ t, busy, fileKiB }}
            onFile={put}
            onSubscribe={async (wish) => {
              const answer = await act<BanListInfo>("POST", "/ban-lists", wish, t.lists.subscribed);
              if (answer.ok && answer.data.error) say(fill(t.lists.failed, { reason: answer.data.error }), true);
              await refresh();
              return answer.ok;
            }}
          />
        )
        : <p class="text-muted mb-4">{t.lists.ownerOnly}</p>}
      {status}
      {lists.length === 0
        ? <Empty title={t.lists.none} hint={t.lists.noneHint} />
        : (
          <ul class="panel divide-y divide-line">
            {lists.map((list) => (
              <li key={list.id} class="px-4 sm:px-5 py-4 flex flex-wrap items-center gap-x-4 gap-y-2">
                <div class="flex-1 min-w-[220px]">
                  <p class="flex flex-wrap items-center gap-2">
                    <span class="font-semibold break-words">
                      <bdi>{list.name || list.url || t.lists.byHand}</bdi>
                    </span>
                    <Badge>{plural(lang, list.entries, t.lists.entries)}</Badge>
                  </p>
                  <p class="text-sm text-muted break-all">{list.url ?? t.lists.byHand}</p>
                  <p class="text-sm text-muted">
                    <Fetched {...{ list, lang, t }} />
                  </p>
                  {list.error && (
                    <p class="text-sm text-bad break-words">{fill(t.lists.failed, { reason: list.error })}</p>
                  )}
                </div>
                <div class="flex flex-wrap gap-2">
                  {list.url !== null && (
                    <button
                      type="button"
                      class="button small"
                      disabled={busy}
                      onClick={() => fetchNow(list)}
                    >
                      {t.lists.refresh}
                    </button>
                  )}
                  {owner && (
                    <button
                      type="button"
                      class="button small danger"
                      disabled={busy}
                      onClick={() => setEnding(list)}
                    >
                      {t.lists.remove}
                    </button>
                  )}
                </div>
              </li>
            ))}
          </ul>
        )}
      <Confirm
        open={ending !== null}
        title={t.lists.removeTitle}
        hint={t.lists.removeHint}
        confirm={t.lists.remove}
        cancel={common.cancel}
        danger
        onClose={() => setEnding(null)}
        onConfirm={() => ending && end(ending)}
      />
    </>
  );
}

function Fetched({ list, lang, t }: { list: BanListInfo } & Pick<Props, "lang" | "t">) {
  if (list.fetched === null) return <>{t.lists.neverFetched}</>;
  const [before, after] = t.lists.fetched.split("{time}");
  return (
    <>
      {before}
      <When at={list.fetched} lang={lang} key={list.fetched} />
      {after}
    </>
  );
}

interface SubscribeProps extends Pick<Props, "t" | "fileKiB"> {
  busy: boolean;
  onFile: (file: File) => void;
  onSubscribe: (wish: { url: string; interval: number; allowPrivate: boolean }) => Promise<boolean>;
}

function Subscribe({ t, busy, fileKiB, onFile, onSubscribe }: SubscribeProps) {
  const [url, setUrl] = useState("");
  const [interval, setInterval] = useState("86400");
  const [allowPrivate, setAllowPrivate] = useState(false);
  const go = async (event: Event) => {
    event.preventDefault();
    if (await onSubscribe({ url: url.trim(), interval: Number(interval), allowPrivate })) setUrl("");
  };
  return (
    <div class="panel p-4 sm:p-5 mb-4 grid gap-5">
      <form onSubmit={go} class="grid gap-4">
        <div class="flex flex-wrap items-start gap-4">
          <div class="flex-1 min-w-[240px]">
            <Field
              label={t.lists.url}
              hint={t.lists.urlHint}
              type="url"
              name="url"
              required
              maxLength={2_000}
              placeholder="https://"
              value={url}
              onInput={(event) => setUrl(event.currentTarget.value)}
            />
          </div>
          <div class="w-44">
            <Choice
              label={t.lists.interval}
              value={interval}
              options={Object.entries(t.lists.intervals).map(([value, name]) => ({ value, name }))}
              onChoose={setInterval}
            />
          </div>
        </div>
        <Switch label={t.lists.allowPrivate} checked={allowPrivate} onSwitch={setAllowPrivate} />
        <div class="flex justify-end">
          <button type="submit" class="button primary" disabled={busy}>{t.lists.subscribe}</button>
        </div>
      </form>
      <Field
        label={t.lists.file}
        hint={fill(t.lists.fileHint, { n: fileKiB })}
        type="file"
        accept="application/json,.json"
        disabled={busy}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) onFile(file);
          event.currentTarget.value = "";
        }}
      />
    </div>
  );
}
