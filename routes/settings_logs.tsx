/** The settings' tab of the log. */

import type { NodeApi } from "../core/node_api.ts";
import LogsIsland from "../islands/logs.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { SettingsFrame } from "./_tabs.tsx";
import { operationsTexts } from "./texts/operations.ts";

const Logs = island("logs", LogsIsland);

/** Lines that the page comes with. */
const FIRST = 200;

export function logsPage(api: NodeApi, page: PageContext): Page {
  const { lang } = page, t = operationsTexts[lang].logs;
  return {
    title: page.t.layout.settingsTabs.logs,
    body: (
      <SettingsFrame page={page}>
        <p class="text-muted mb-5 max-w-3xl">{t.hint}</p>
        <Logs lang={lang} t={t} common={page.t.common} first={api.logs.page({ limit: FIRST })} />
      </SettingsFrame>
    ),
  };
}
