/** /settings/admins: who may use the console, and with which tokens programs may. */

import type { NodeApi } from "../core/node_api.ts";
import AdminsIsland from "../islands/admins.tsx";
import TokensIsland from "../islands/tokens.tsx";
import { adminView, invitationView } from "./api/admins.ts";
import { tokenView } from "./api/tokens.ts";
import type { Caller } from "./caller.ts";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { SettingsFrame } from "./_tabs.tsx";
import { adminsTexts } from "./texts/admins.ts";

const Admins = island("admins", AdminsIsland);
const Tokens = island("tokens", TokensIsland);

export function adminsPage({ admins }: NodeApi, page: PageContext, caller: Caller): Page {
  const { lang, t: { common, layout } } = page;
  const t = adminsTexts[lang];
  return {
    title: layout.settingsTabs.admins,
    body: (
      <SettingsFrame page={page}>
        <section aria-labelledby="admins" class="max-w-4xl">
          <h2 id="admins" class="text-lg font-semibold">{t.admins}</h2>
          <p class="text-muted mb-4">{t.adminsHint}</p>
          <Admins
            lang={lang}
            t={t}
            common={common}
            self={caller.admin ?? ""}
            first={admins.list().map(adminView)}
            invitations={admins.invitations().map(invitationView)}
          />
        </section>
        <section aria-labelledby="tokens" class="max-w-4xl mt-10">
          <h2 id="tokens" class="text-lg font-semibold">{t.tokens}</h2>
          <p class="text-muted mb-4">{inCode(t.tokensHint)}</p>
          <Tokens
            lang={lang}
            t={t}
            common={common}
            first={admins.tokens().map(tokenView)}
            now={Math.floor(Date.now() / 1000)}
          />
        </section>
      </SettingsFrame>
    ),
  };
}

/** A text with `code` in it. */
function inCode(text: string) {
  return text.split("`").map((part, i) => i % 2 === 1 ? <code key={i}>{part}</code> : part);
}
