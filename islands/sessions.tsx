/** The browsers in which one is signed in. */

import { useState } from "preact/hooks";
import type { OwnTexts } from "../routes/texts/account.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Confirm } from "./parts/dialog.tsx";
import { Timed } from "./parts/once.tsx";
import { useActing } from "./parts/status.tsx";
import { Badge, When } from "./parts/ui.tsx";
import { fill } from "./parts/words.ts";

/** A session, as the API tells it. */
export interface SessionInfo {
  id: string;
  created: number;
  used: number;
  ends: number;
  address: string;
  agent: string;
  here: boolean;
}

interface Props {
  lang: string;
  t: OwnTexts;
  common: Texts["common"];
  first: SessionInfo[];
}

export default function Sessions({ lang, t, common, first }: Props) {
  const [sessions, setSessions] = useState(first);
  const [asking, setAsking] = useState(false);
  const { act, busy, status } = useActing(common);
  const end = async (id: string) => {
    const answer = await act("DELETE", `/sessions/${id}`, undefined, t.signedOut);
    if (answer.ok || answer.status === 404) setSessions((before) => before.filter((one) => one.id !== id));
  };
  const everywhere = async () => {
    setAsking(false);
    if ((await act("DELETE", "/sessions")).ok) location.assign("/sign-in");
  };
  return (
    <section class="panel p-5 mb-6" aria-labelledby="sessions">
      <h2 id="sessions" class="text-lg font-semibold">{t.sessions}</h2>
      <ul class="divide-y divide-line my-2">
        {sessions.map(({ id, agent, address, used, here }) => (
          <li key={id} class="py-3 flex flex-wrap items-center gap-x-4 gap-y-2">
            <div class="flex-1 min-w-[200px]">
              <p class="font-medium" title={agent}>
                {browserOf(agent, t)} {here && <Badge tone="accent">{t.here}</Badge>}
              </p>
              <p class="text-sm text-muted">
                {address && <code>{address}</code>}
                {address && " · "}
                <Timed text={t.lastUsed}>
                  <When at={used} lang={lang} />
                </Timed>
              </p>
            </div>
            {!here && (
              <button
                type="button"
                class="button small"
                disabled={busy}
                onClick={() => end(id)}
              >
                {t.signOut}
              </button>
            )}
          </li>
        ))}
      </ul>
      {status}
      <button type="button" class="button danger" disabled={busy} onClick={() => setAsking(true)}>
        {t.everywhere}
      </button>
      <Confirm
        open={asking}
        title={t.everywhereTitle}
        hint={t.everywhereHint}
        confirm={t.everywhere}
        cancel={common.cancel}
        danger
        onClose={() => setAsking(false)}
        onConfirm={everywhere}
      />
    </section>
  );
}

/** Names in a `User-Agent`, the more special ones first: nearly all also claim to be Chrome and Safari. */
const BROWSERS: [string, RegExp][] = [
  ["Edge", /\bEdg(e|A|iOS)?\//],
  ["Opera", /\bOPR\//],
  ["Firefox", /\b(Firefox|FxiOS)\//],
  ["Chromium", /\b(Headless)?Chrom(e|ium)\/|\bCriOS\//],
  ["Safari", /\bSafari\//],
  ["curl", /^curl\//],
];
const SYSTEMS: [string, RegExp][] = [
  ["Android", /\bAndroid\b/],
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["Linux", /\bLinux\b/],
];

/** What a browser calls itself, in words. */
function browserOf(agent: string, t: OwnTexts): string {
  const [browser, system] = [BROWSERS, SYSTEMS].map((list) => list.find(([, sign]) => sign.test(agent))?.[0]);
  if (browser && system) return fill(t.on, { browser, system });
  return browser ?? system ?? t.unknownBrowser;
}
