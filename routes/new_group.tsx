/** The page that makes a group. */

import type { NodeApi } from "../core/node_api.ts";
import NewGroupIsland from "../islands/new_group.tsx";
import { MAX_DESCRIPTION, MAX_TITLE } from "./constants.ts";
import { Icon } from "./_icons.tsx";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { groupTexts } from "./texts/groups.ts";

const NewGroup = island("new_group", NewGroupIsland);

export function newGroupPage(api: NodeApi, { lang, t }: PageContext): Page {
  const texts = groupTexts[lang];
  const { conversationQuota, quota, retentionDays } = api.storage().files;
  return {
    title: texts.newTitle,
    body: (
      <>
        <a href="/conversations" class="inline-flex items-center gap-1 text-sm text-muted hover:text-ink mb-2">
          <Icon name="back" />
          {t.conversation.back}
        </a>
        <h1 class="text-2xl font-semibold mb-2">{texts.newTitle}</h1>
        <p class="text-muted mb-5 max-w-2xl">{texts.newHint}</p>
        <NewGroup
          lang={lang}
          t={texts}
          common={t.common}
          files={{ defaults: { quota: conversationQuota, retentionDays }, total: quota }}
          self={api.info().jamiId}
          maxTitle={MAX_TITLE}
          maxDescription={MAX_DESCRIPTION}
        />
      </>
    ),
  };
}
