/** Which devices wait for messages. */

import { useEffect, useState } from "preact/hooks";
import type { OverviewNow, WaitingDevice, WaitingDevices } from "../../core/node_api.ts";
import type { Texts } from "../../routes/texts/en.ts";
import { ask } from "./api.ts";
import { Dot, When } from "./ui.tsx";
import { plural, shortId } from "./words.ts";

/** Devices that are shown. */
export const WAITING_SHOWN = 8;

interface Props {
  lang: string;
  t: Texts["overview"];
  now: OverviewNow;
  first: WaitingDevices;
}

/** The list, read anew when the numbers of what waits have changed. */
export function Waiting({ lang, t, now: { waiting }, first }: Props) {
  const [list, setList] = useState(first);
  const key = `${waiting.messages} ${waiting.devices}`;
  const [read, setRead] = useState(key);
  useEffect(() => {
    if (key === read) return;
    setRead(key);
    ask<{ devices: WaitingDevice[]; total: number }>("GET", `/waiting?limit=${WAITING_SHOWN}`).then((answer) => {
      if (answer.ok) setList({ items: answer.data.devices, total: answer.data.total });
    });
  }, [key]);
  return (
    <section class="panel p-5 min-w-0">
      <h2 class="text-base font-semibold">{t.whoWaits}</h2>
      {list.total === 0 ? <p class="mt-1 text-muted">{t.nobodyWaits}</p> : (
        <>
          <p class="text-sm text-muted mb-2">{t.whoWaitsHint}</p>
          <ul class="divide-y divide-line">
            {list.items.map((one) => <Line key={`${one.conversationId} ${one.deviceId}`} {...{ one, lang, t }} />)}
          </ul>
          {list.total > list.items.length && (
            <p class="mt-2 text-sm text-muted">{plural(lang, list.total - list.items.length, t.moreWait)}</p>
          )}
        </>
      )}
    </section>
  );
}

function Line({ one, lang, t }: { one: WaitingDevice; lang: string; t: Texts["overview"] }) {
  const { conversationId, title, jamiId, name, deviceId, messages, since, online } = one;
  const [before, after] = t.waitsSince.split("{time}");
  return (
    <li class="py-2 text-sm flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
      <span class="min-w-0">
        <span class="inline-flex items-center gap-2">
          <Dot on={online} label={online ? t.yes : t.no} />
          <bdi class="font-semibold">{name || shortId(jamiId)}</bdi>
          <code class="text-muted" title={deviceId}>{shortId(deviceId)}</code>
        </span>
        <span class="block text-muted">
          {t.inConversation}{" "}
          <a class="link" href={`/conversations/${conversationId}/members`}>
            <bdi>{title || t.untitled}</bdi>
          </a>
        </span>
      </span>
      <span class="sm:text-right">
        <span class="font-medium figure">{plural(lang, messages, t.lacks)}</span>
        {since !== null && (
          <span class="block text-muted">
            {before}
            <When at={since} lang={lang} key={since} />
            {after}
          </span>
        )}
      </span>
    </li>
  );
}
