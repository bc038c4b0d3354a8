/** /settings/devices: the devices of the node's own account, adding one, and the account's archive. */

import type { NodeApi } from "../core/node_api.ts";
import ArchiveIsland from "../islands/archive.tsx";
import DevicesIsland from "../islands/devices.tsx";
import LinkIsland from "../islands/link.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { SettingsFrame } from "./_tabs.tsx";
import { devicesTexts } from "./texts/devices.ts";

const Devices = island("devices", DevicesIsland);
const Link = island("link", LinkIsland);
const Archive = island("archive", ArchiveIsland);

export async function devicesPage(api: NodeApi, page: PageContext): Promise<Page> {
  const { lang, t: { common, layout } } = page;
  const t = devicesTexts[lang];
  const first = await api.devices.list();
  const { revoked } = api.ready();
  return {
    title: layout.settingsTabs.devices,
    body: (
      <SettingsFrame page={page}>
        {revoked && (
          <p class="rounded-xl border border-bad bg-bad-soft text-bad p-4 mb-6 max-w-4xl" role="alert">
            {t.youAreRevoked}
          </p>
        )}
        <section aria-labelledby="devices" class="max-w-4xl">
          <h2 id="devices" class="text-lg font-semibold">{t.devices}</h2>
          <p class="text-muted mb-4">{t.devicesHint}</p>
          <Devices lang={lang} t={t} common={common} first={first} />
        </section>
        {!revoked && (
          <section aria-labelledby="add" class="max-w-4xl mt-10">
            <h2 id="add" class="text-lg font-semibold">{t.add}</h2>
            <p class="text-muted mb-4">{t.addHint}</p>
            <Link t={t} common={common} first={api.devices.link()} />
          </section>
        )}
        <section aria-labelledby="archive" class="max-w-4xl mt-10">
          <h2 id="archive" class="text-lg font-semibold">{t.archive}</h2>
          <p class="text-muted mb-4">{t.archiveHint}</p>
          <Archive t={t} common={common} hasPassword={first.hasPassword} />
        </section>
      </SettingsFrame>
    ),
  };
}
