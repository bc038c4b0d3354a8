/** The settings' tab about Kituo itself: which one it is, under which licence, and what it is made of. */

import type { NodeApi } from "../core/node_api.ts";
import type { Licence } from "../core/licences.ts";
import type { Assets } from "./assets.ts";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { SettingsFrame } from "./_tabs.tsx";
import { type OperationsTexts, operationsTexts } from "./texts/operations.ts";

/** Where the texts of all licences are. */
export const LICENCES = "/settings/about/licences.txt";

/** Where Kituo's own is. */
export const LICENCE = "/settings/about/licence.txt";

export function aboutPage(api: NodeApi, { licences: { packages } }: Assets, page: PageContext): Page {
  const t = operationsTexts[page.lang].about;
  const { version, jamiId, deviceId } = api.info();
  const facts: [string, string][] = [
    [t.version, version],
    [t.jamiId, jamiId],
    [t.device, deviceId],
    [t.runtime, `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}, ${Deno.build.os} ${Deno.build.arch}`],
  ];
  return {
    title: page.t.layout.settingsTabs.about,
    body: (
      <SettingsFrame page={page}>
        <div class="grid grid-cols-1 gap-6 max-w-3xl">
          <section class="panel p-5" aria-labelledby="kituo">
            <h2 id="kituo" class="text-lg font-semibold mb-1">Kituo</h2>
            <p class="text-muted mb-4">{t.what}</p>
            <dl class="grid gap-x-6 gap-y-2 sm:grid-cols-4">
              {facts.map(([name, value]) => (
                <>
                  <dt class="text-muted">{name}</dt>
                  <dd class="sm:col-span-3">
                    <span class="hash">{value}</span>
                  </dd>
                </>
              ))}
              <dt class="text-muted">{t.licence}</dt>
              <dd class="sm:col-span-3">
                {t.licenceText} <a class="link" href={LICENCE}>{t.read}</a>
              </dd>
            </dl>
          </section>
          <section class="panel p-5" aria-labelledby="parts">
            <h2 id="parts" class="text-lg font-semibold mb-1">{t.parts}</h2>
            {packages.length === 0 ? <p class="text-muted">{t.unbuilt}</p> : (
              <>
                <p class="text-muted mb-3">
                  {t.partsHint} <a class="link" href={LICENCES}>{t.allTexts}</a>
                </p>
                <Packages t={t} packages={packages.filter(({ tool }) => !tool)} />
                <details class="mt-4">
                  <summary class="cursor-pointer font-medium">{t.tools}</summary>
                  <Packages t={t} packages={packages.filter(({ tool }) => tool)} />
                </details>
              </>
            )}
          </section>
          <section class="panel p-5" aria-labelledby="links">
            <h2 id="links" class="text-lg font-semibold mb-1">{t.links}</h2>
            <p class="text-muted mb-3">{t.linksHint}</p>
            <ul class="grid gap-1">
              <li>
                <a class="link" href="https://jami.net" rel="noreferrer">{t.jami}</a>
              </li>
              <li>
                <a class="link" href="https://deno.com" rel="noreferrer">{t.deno}</a>
              </li>
            </ul>
          </section>
        </div>
      </SettingsFrame>
    ),
  };
}

function Packages({ t, packages }: { t: OperationsTexts["about"]; packages: Licence[] }) {
  return (
    <table class="w-full text-sm">
      <thead class="text-left text-muted">
        <tr>
          <th class="py-1 pr-4 font-medium">{t.package}</th>
          <th class="py-1 pr-4 font-medium">{t.version}</th>
          <th class="py-1 font-medium">{t.licence}</th>
        </tr>
      </thead>
      <tbody>
        {packages.map(({ name, version, licence }) => (
          <tr key={`${name} ${version}`} class="border-t border-line">
            <td class="py-1 pr-4 break-all">{name}</td>
            <td class="py-1 pr-4 whitespace-nowrap">{version}</td>
            <td class="py-1">{licence || "?"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The texts of all licences, one after the other. */
export function licenceTexts(licences: Licence[]): string {
  return licences.map(({ name, version, licence, text }) => {
    const title = `${name} ${version} (${licence || "licence unknown"})`;
    return `${title}\n${"=".repeat(title.length)}\n\n${text || "The package brings no licence text."}\n`;
  }).join("\n\n");
}
