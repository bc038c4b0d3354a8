/** The pages of one conversation: its timeline, members, files, history, and what can be done with it. */

import type { ComponentChild } from "preact";
import { type ConversationDetail, type NodeApi, NodeError, type RefusedInfo } from "../core/node_api.ts";
import ManageIsland from "../islands/manage.tsx";
import MembersIsland from "../islands/members.tsx";
import { Badge, STATE_TONES } from "../islands/parts/ui.tsx";
import TimelineIsland from "../islands/timeline.tsx";
import type { Caller } from "./caller.ts";
import { filesSection } from "./conversation_files.tsx";
import { historySection } from "./conversation_history.tsx";
import { settingsSection } from "./conversation_settings.tsx";
import { refusedSection } from "./conversation_refused.tsx";
import { island } from "./_island.tsx";
import { Icon } from "./_icons.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import { Tabs } from "./_tabs.tsx";
import type { Privacy } from "./privacy.ts";
import { groupTexts } from "./texts/groups.ts";
import { moderationTexts } from "./texts/moderation.ts";
import { canBeTyped } from "../islands/parts/given.tsx";

const Timeline = island("timeline", TimelineIsland);
const Members = island("members", MembersIsland);
const Manage = island("manage", ManageIsland);

/** Entries that the timeline stands there with. */
const FIRST_ENTRIES = 60;
/** Newer ones above an entry that the address names. */
const NEWER_ENTRIES = 12;
/** Members that their page stands there with: a thousand would be two megabytes. */
const FIRST_MEMBERS = 50;
/** Digits of the id that stand for a conversation without a title. */
const SHORT = 8;

/** The parts of a conversation, in the order of their tabs. */
export const SECTIONS = ["timeline", "members", "files", "history", "settings", "refused", "manage"] as const;
export type Section = typeof SECTIONS[number];

/** What a part needs to be drawn. */
export interface SectionContext {
  /** the entry that the address names; "" = none */
  at: string;
  /** show every commit of the history */
  all: boolean;
  api: NodeApi;
  page: PageContext;
  privacy: Privacy;
  caller: Caller;
  conversation: ConversationDetail;
  /** names of members, by Jami ID */
  names: Record<string, string>;
  /** histories of members that are refused here */
  refused: RefusedInfo[];
}

/** @throws {NodeError} "not found" */
export async function conversationPage(
  context: Omit<SectionContext, "conversation" | "names" | "refused">,
  id: string,
  section: Section,
): Promise<Page> {
  const conversation = await context.api.conversation(id);
  const names = Object.fromEntries(
    conversation.members.map(({ jamiId, name, registeredName }) => [jamiId, name || registeredName])
      .filter(([, name]) => name !== ""),
  );
  const full: SectionContext = { ...context, conversation, names, refused: await context.api.refused.list(id) };
  const title = conversation.title || context.page.t.conversations.untitled;
  return {
    title: section === "timeline" ? title : `${context.page.t.conversation.tabs[section]} · ${title}`,
    body: (
      <>
        <Head {...full} section={section} title={title} />
        {await SECTION[section](full)}
      </>
    ),
  };
}

const SECTION: Record<Section, (context: SectionContext) => ComponentChild | Promise<ComponentChild>> = {
  timeline: timelineSection,
  members: membersSection,
  files: filesSection,
  history: historySection,
  settings: settingsSection,
  refused: refusedSection,
  manage: manageSection,
};

function Head({ page, conversation, refused, section, title }: SectionContext & { section: Section; title: string }) {
  const { t } = page;
  const { id, state, mode, description } = conversation;
  return (
    <header class="mb-5">
      <a href="/conversations" class="inline-flex items-center gap-1 text-sm text-muted hover:text-ink mb-2">
        <Icon name="back" />
        {t.conversation.back}
      </a>
      <h1 class="text-2xl font-semibold break-words">
        <bdi>{title}</bdi>
      </h1>
      <p class="flex flex-wrap items-center gap-x-3 gap-y-1 mt-1 text-sm text-muted">
        <Badge tone={STATE_TONES[state]}>{t.states[state]}</Badge>
        <span>{t.modes[mode] ?? ""}</span>
        <code>{id}</code>
      </p>
      {state === "left" && (
        <p class="mt-3 max-w-3xl rounded-lg bg-warn-soft text-warn px-4 py-2">{t.conversation.left}</p>
      )}
      {description && (
        <p class="mt-2 max-w-3xl whitespace-pre-wrap break-words">
          <bdi>{description}</bdi>
        </p>
      )}
      <div class="mt-4">
        <Tabs
          label={t.conversation.sections}
          items={SECTIONS.filter((one) => one !== "refused" || one === section || refused.length > 0).map((one) => ({
            href: one === "timeline" ? `/conversations/${id}` : `/conversations/${id}/${one}`,
            name: one === "refused" ? `${t.conversation.tabs[one]} (${refused.length})` : t.conversation.tabs[one],
            here: one === section,
          }))}
        />
      </div>
    </header>
  );
}

async function timelineSection({ api, page, privacy, caller, conversation, names, at }: SectionContext) {
  const { id, state } = conversation;
  const { lang, t } = page;
  const isHere = state === "active" || state === "leaving" || state === "left";
  const part = isHere ? await firstPart(api, id, at) : { messages: [], newest: true, oldest: true };
  const until = privacy.until(caller, id);
  // of those who are no members any more, or of all when the node left, the messages alone know the names
  const written = Object.fromEntries(
    part.messages.flatMap(({ author, authorName }) => authorName === "" ? [] : [[author, authorName]]),
  );
  return (
    <Timeline
      lang={lang}
      t={t.timeline}
      common={t.common}
      id={id}
      names={{ ...written, ...names }}
      first={{ ...part, messages: part.messages.map((message) => privacy.message(caller, id, message)) }}
      at={at}
      until={until === null ? null : Math.floor(until / 1000)}
      blind={privacy.blind}
    />
  );
}

/** The newest entries, or those around one; the newest also when there is no such entry. */
async function firstPart(api: NodeApi, id: string, at: string) {
  const page = (limit: number, where = {}) => api.messages(id, { limit, view: "entries", ...where });
  const newer = at === "" ? [] : await page(NEWER_ENTRIES, { after: at }).catch((error) => {
    if (error instanceof NodeError && error.fault === "not found") return [];
    throw error;
  });
  const before = newer.at(-1)?.id;
  const older = await page(FIRST_ENTRIES, before === undefined ? {} : { before });
  return {
    messages: [...newer, ...older],
    newest: newer.length < NEWER_ENTRIES,
    oldest: older.length < FIRST_ENTRIES,
  };
}

async function membersSection({ api, page, conversation }: SectionContext) {
  const { lang, t } = page;
  const self = api.info().jamiId;
  const { members, mode, state, id } = conversation;
  const first = await api.members.list(id, { limit: FIRST_MEMBERS });
  const left = state === "left";
  if (left && first.total === 0) return <p class="panel p-8 text-center text-muted">{t.members.unknown}</p>;
  const admin = mode !== 0 && state === "active" &&
    members.some(({ jamiId, role }) => jamiId === self && role === "admin");
  const people = groupTexts[lang];
  const bans = moderationTexts[lang];
  return (
    <Members
      {...{ lang, people, bans, id, self, admin, left, first }}
      step={FIRST_MEMBERS}
      t={t.members}
      common={t.common}
    />
  );
}

function manageSection({ page, privacy, caller, conversation }: SectionContext) {
  const { id, mode, state, title } = conversation;
  return (
    <Manage
      t={page.t.manage}
      common={page.t.common}
      id={id}
      mode={mode}
      state={state}
      word={canBeTyped(title.trim()) ? title.trim() : id.slice(0, SHORT)}
      revealed={privacy.mayRead(caller, id)}
    />
  );
}
