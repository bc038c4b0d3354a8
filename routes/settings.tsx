/** The node's settings. */

import type { NodeApi } from "../core/node_api.ts";
import SettingsIsland from "../islands/settings.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { SettingsFrame } from "./_tabs.tsx";
import { settingsTexts } from "./texts/settings.ts";

const Settings = island("settings", SettingsIsland);

export function settingsPage({ settings }: NodeApi, page: PageContext): Page {
  const { lang, t: { common } } = page;
  const t = settingsTexts[lang];
  return {
    title: t.title,
    body: (
      <SettingsFrame page={page}>
        <Settings {...{ lang, t, common, first: settings.state() }} />
      </SettingsFrame>
    ),
  };
}
