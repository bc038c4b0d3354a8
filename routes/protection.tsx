/** /protection: protections, what is held, reports, bans, lists of bans. */

import { covers } from "../core/admins/roles.ts";
import { MAX_LIST_LIMIT, type NodeApi } from "../core/node_api.ts";
import BanListsIsland from "../islands/ban_lists.tsx";
import BansIsland from "../islands/bans.tsx";
import HeldIsland from "../islands/held.tsx";
import ProtectionsIsland from "../islands/protections.tsx";
import ReportsIsland from "../islands/reports.tsx";
import type { ComponentChildren } from "preact";
import type { Caller } from "./caller.ts";
import { MAX_LIST_FILE } from "./constants.ts";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import type { Privacy } from "./privacy.ts";
import { ProtectionFrame } from "./_tabs.tsx";
import { moderationTexts } from "./texts/moderation.ts";

const Protections = island("protections", ProtectionsIsland);
const Held = island("held", HeldIsland);
const Reports = island("reports", ReportsIsland);
const Bans = island("bans", BansIsland);
const BanLists = island("ban_lists", BanListsIsland);

/** Lines that a list stands there with. */
const FIRST = 50;

/** What a tab needs to be drawn. */
export interface ProtectionContext {
  api: NodeApi;
  page: PageContext;
  privacy: Privacy;
  caller: Caller;
}

/** The tabs, by the end of their path. */
export const PROTECTION_PAGES: Record<string, (context: ProtectionContext) => Page> = {
  "": protectionsPage,
  "/held": heldPage,
  "/reports": reportsPage,
  "/bans": bansPage,
  "/lists": listsPage,
};

function protectionsPage({ api, page }: ProtectionContext): Page {
  const { lang, t: { common, layout } } = page;
  const { moderation } = api;
  const groups = api.conversations({ limit: MAX_LIST_LIMIT }).items
    .filter(({ mode, state }) => mode !== 0 && state === "active").map(({ id, title }) => ({ id, title }));
  return {
    title: layout.protectionTabs.protections,
    body: (
      <ProtectionFrame page={page}>
        <Protections
          lang={lang}
          t={moderationTexts[lang]}
          common={common}
          first={moderation.protections()}
          allowed={moderation.allowlist()}
          actions={moderation.actions({ limit: FIRST })}
          groups={groups}
        />
      </ProtectionFrame>
    ),
  };
}

function heldPage({ api, page }: ProtectionContext): Page {
  const { lang, t: { common, layout } } = page;
  const t = moderationTexts[lang];
  return {
    title: layout.protectionTabs.held,
    body: (
      <Tab page={page} intro={t.held.intro}>
        <Held lang={lang} t={t} common={common} first={api.moderation.held()} />
      </Tab>
    ),
  };
}

function reportsPage({ api, page, privacy, caller }: ProtectionContext): Page {
  const { lang, t: { common, layout } } = page;
  const t = moderationTexts[lang];
  const { items, next } = api.moderation.reports("open", { limit: FIRST });
  const first = { reports: items.map((report) => privacy.report(caller, report)), next };
  return {
    title: layout.protectionTabs.reports,
    body: (
      <Tab page={page} intro={t.reports.intro}>
        <Reports lang={lang} t={t} common={common} first={first} blind={privacy.blind} />
      </Tab>
    ),
  };
}

function bansPage({ api: { moderation }, page }: ProtectionContext): Page {
  const { lang, t: { common, layout } } = page;
  const t = moderationTexts[lang];
  const first = { bans: moderation.bans(), groupBans: moderation.groupBans() };
  return {
    title: layout.protectionTabs.bans,
    body: (
      <Tab page={page} intro={t.bans.intro}>
        <Bans lang={lang} t={t} common={common} first={first} />
      </Tab>
    ),
  };
}

function listsPage({ api, page, caller }: ProtectionContext): Page {
  const { lang, t: { common, layout } } = page;
  const t = moderationTexts[lang];
  return {
    title: layout.protectionTabs.lists,
    body: (
      <Tab page={page} intro={t.lists.intro}>
        <BanLists
          lang={lang}
          t={t}
          common={common}
          first={api.moderation.banLists()}
          owner={covers(caller.role, "owner")}
          fileKiB={MAX_LIST_FILE / 1024}
        />
      </Tab>
    ),
  };
}

function Tab({ page, intro, children }: { page: PageContext; intro: string; children: ComponentChildren }) {
  return (
    <ProtectionFrame page={page}>
      <p class="text-muted max-w-3xl mb-5">{intro}</p>
      {children}
    </ProtectionFrame>
  );
}
