/** The settings' tab of back-ups. */

import type { BackupSchedule, NodeApi } from "../core/node_api.ts";
import BackupIsland from "../islands/backup.tsx";
import { When } from "../islands/parts/ui.tsx";
import { bytes, fill, plural } from "../islands/parts/words.ts";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { SettingsFrame } from "./_tabs.tsx";
import { type OperationsTexts, operationsTexts } from "./texts/operations.ts";

const Backup = island("backup", BackupIsland);

export async function backupPage(api: NodeApi, page: PageContext): Promise<Page> {
  const { lang } = page, t = operationsTexts[lang].backup;
  const schedule = await api.backups.schedule();
  return {
    title: page.t.layout.settingsTabs.backup,
    body: (
      <SettingsFrame page={page}>
        <div class="grid grid-cols-1 gap-6 max-w-3xl">
          <section class="panel p-5" aria-labelledby="make">
            <h2 id="make" class="text-lg font-semibold mb-1">{t.make}</h2>
            <p class="text-muted mb-4">{t.makeHint}</p>
            <Backup lang={lang} t={t} common={page.t.common} filesSize={api.storage().files.used} />
            <p class="mt-4 text-sm text-muted">{t.secret}</p>
          </section>
          <section class="panel p-5" aria-labelledby="itself">
            <h2 id="itself" class="text-lg font-semibold mb-1">{t.itself}</h2>
            {schedule ? <Schedule lang={lang} t={t} schedule={schedule} /> : (
              <>
                <p class="text-muted">{t.off}</p>
                <Command>--backup-dir /srv/backups --backup-passphrase-file /etc/kituo/passphrase</Command>
              </>
            )}
          </section>
          <section class="panel p-5" aria-labelledby="restore">
            <h2 id="restore" class="text-lg font-semibold mb-1">{t.restore}</h2>
            <p class="text-muted">{t.restoreHint}</p>
            <Command>deno task restore FILE.kituo-backup --data DIR</Command>
            <p class="text-sm">{t.restoreSafe}</p>
            <p class="mt-2 text-sm rounded-lg bg-warn-soft text-warn px-3 py-2">{t.twin}</p>
          </section>
        </div>
      </SettingsFrame>
    ),
  };
}

function Schedule({ lang, t, schedule }: { lang: string; t: OperationsTexts["backup"]; schedule: BackupSchedule }) {
  const { folder, every, keep, made, problem } = schedule;
  return (
    <>
      <p class="text-muted">{fill(t.every, { hours: plural(lang, every, t.hours), folder, keep })}</p>
      {problem && <p role="alert" class="mt-2 font-medium text-bad">{fill(t.problem, { reason: problem })}</p>}
      {made.length === 0
        ? <p class="mt-3">{t.none}</p>
        : (
          <div class="mt-3 overflow-x-auto" tabIndex={0} role="region" aria-label={t.itself}>
            <table class="w-full text-sm">
              <thead class="text-left text-muted">
                <tr>
                  <th class="py-1 pr-4 font-medium">{t.when}</th>
                  <th class="py-1 pr-4 font-medium">{t.name}</th>
                  <th class="py-1 font-medium text-right">{t.size}</th>
                </tr>
              </thead>
              <tbody>
                {made.map(({ name, at, size }) => (
                  <tr key={name} class="border-t border-line">
                    <td class="py-2 pr-4 whitespace-nowrap">
                      <When at={at} lang={lang} />
                    </td>
                    <td class="py-2 pr-4">
                      <code>{name}</code>
                    </td>
                    <td class="py-2 text-right whitespace-nowrap">{bytes(lang, size)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
    </>
  );
}

/** Something to type into a terminal. */
export function Command({ children }: { children: string }) {
  return (
    <pre class="my-3 rounded-lg bg-sunken p-3 text-sm whitespace-pre-wrap break-words"><code>{children}</code></pre>
  );
}
