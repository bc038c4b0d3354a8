/** /account: one's own name, ways to sign in, sessions and appearance. */

import type { NodeApi } from "../core/node_api.ts";
import AccountIsland from "../islands/account.tsx";
import PasskeysIsland from "../islands/passkeys.tsx";
import SessionsIsland from "../islands/sessions.tsx";
import { passkeyView } from "./api/account.ts";
import { sessionView } from "./api/session.ts";
import type { Caller } from "./caller.ts";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { Preferences } from "./_side.tsx";
import { ownTexts } from "./texts/account.ts";

const Account = island("account", AccountIsland);
const Passkeys = island("passkeys", PasskeysIsland);
const Sessions = island("sessions", SessionsIsland);

/** Whoever holds a token has no account: nothing but the appearance is theirs. */
export function accountPage({ admins }: NodeApi, page: PageContext, caller: Caller): Page {
  const { lang, t: { common, layout } } = page;
  const t = ownTexts[lang];
  const account = caller.admin === undefined ? null : admins.get(caller.admin);
  return {
    title: t.title,
    body: (
      <div class="max-w-3xl">
        <header class="mb-5">
          <h1 class="text-2xl font-semibold">{t.title}</h1>
          <p class="text-muted mt-1">{layout.roles[caller.role]}</p>
        </header>
        {account && (
          <>
            <Account t={t} common={common} name={account.name} password={account.password} />
            <Passkeys lang={lang} t={t} common={common} first={admins.passkeysOf(account.id).map(passkeyView)} />
            <Sessions
              lang={lang}
              t={t}
              common={common}
              first={admins.sessionsOf(account.id).map((session) => sessionView(session, caller.session))}
            />
          </>
        )}
        <section class="panel p-5" aria-labelledby="look">
          <h2 id="look" class="text-lg font-semibold mb-3">{t.look}</h2>
          <div class="max-w-xs">
            <Preferences page={page} />
          </div>
        </section>
      </div>
    ),
  };
}
