/** The pages of one conversation: its timeline, members, files, history, and what can be done with it. */

import type { ComponentChild } from "preact";
import type { ConversationDetail, NodeApi } from "../core/node_api.ts";
import ManageIsland from "../islands/manage.tsx";
import MembersIsland from "../islands/members.tsx";
import { Badge, STATE_TONES } from "../islands/parts/ui.tsx";
import TimelineIsland from "../islands/timeline.tsx";
import type { Caller } from "./caller.ts";
import { filesSection } from "./conversation_files.tsx";
import { historySection } from "./conversation_history.tsx";
import { settingsSection } from "./conversation_settings.tsx";
import { island } from "./_island.tsx";
import { Icon } from "./_icons.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";
import type { Privacy } from "./privacy.ts";
import { groupTexts } from "./texts/groups.ts";

const Timeline = island("timeline", TimelineIsland);
const Members = island("members", MembersIsland);
const Manage = island("manage", ManageIsland);

/** Entries that the timeline stands there with. */
const FIRST_ENTRIES = 60;
/** Digits of the id that stand for a conversation without a title. */
const SHORT = 8;

/** The parts of a conversation, in the order of their tabs. */
export const SECTIONS = ["timeline", "members", "files", "history", "settings", "manage"] as const;
export type Section = typeof SECTIONS[number];

/** What a part needs to be drawn. */
export interface SectionContext {
  api: NodeApi;
  page: PageContext;
  privacy: Privacy;
  caller: Caller;
  conversation: ConversationDetail;
  /** names of members, by Jami ID */
  names: Record<string, string>;
}

/** @throws {NodeError} "not found" */
export async function conversationPage(
  context: Omit<SectionContext, "conversation" | "names">,
  id: string,
  section: Section,
): Promise<Page> {
  const conversation = await context.api.conversation(id);
  const names = Object.fromEntries(
    conversation.members.map(({ jamiId, name, registeredName }) => [jamiId, name || registeredName])
      .filter(([, name]) => name !== ""),
  );
  const full: SectionContext = { ...context, conversation, names };
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
  manage: manageSection,
};

function Head({ page, conversation, section, title }: SectionContext & { section: Section; title: string }) {
  const { t } = page;
  const { id, state, mode, description } = conversation;
  return (
    <header class="mb-5">
      <a href="/conversations" class="inline-flex items-center gap-1 text-sm text-muted hover:text-ink mb-2">
        <Icon name="back" />
        {t.conversation.back}
      </a>
      <h1 class="text-2xl font-semibold break-words">{title}</h1>
      <p class="flex flex-wrap items-center gap-x-3 gap-y-1 mt-1 text-sm text-muted">
        <Badge tone={STATE_TONES[state]}>{t.states[state]}</Badge>
        <span>{t.modes[mode] ?? ""}</span>
        <code>{id}</code>
      </p>
      {description && <p class="mt-2 max-w-3xl whitespace-pre-wrap break-words">{description}</p>}
      <nav aria-label={t.conversation.sections} class="mt-4 border-b border-line overflow-x-auto">
        <ul class="flex sm:gap-1">
          {SECTIONS.map((one) => (
            <li key={one}>
              <a
                href={one === "timeline" ? `/conversations/${id}` : `/conversations/${id}/${one}`}
                aria-current={one === section ? "page" : undefined}
                class={`block px-2 sm:px-3 py-2 text-sm sm:text-base border-b-2 whitespace-nowrap ${
                  one === section
                    ? "border-accent text-accent font-semibold"
                    : "border-transparent text-muted hover:text-ink"
                }`}
              >
                {t.conversation.tabs[one]}
              </a>
            </li>
          ))}
        </ul>
      </nav>
    </header>
  );
}

async function timelineSection({ api, page, privacy, caller, conversation, names }: SectionContext) {
  const { id, state } = conversation;
  const { lang, t } = page;
  const isOpen = state === "active" || state === "leaving";
  const messages = isOpen ? await api.messages(id, { limit: FIRST_ENTRIES, view: "entries" }) : [];
  const until = privacy.until(caller, id);
  return (
    <Timeline
      lang={lang}
      t={t.timeline}
      common={t.common}
      id={id}
      names={names}
      first={messages.map((message) => privacy.message(caller, id, message))}
      whole={messages.length < FIRST_ENTRIES}
      until={until === null ? null : Math.floor(until / 1000)}
      blind={privacy.blind}
    />
  );
}

function membersSection({ api, page, conversation }: SectionContext) {
  const { lang, t } = page;
  const self = api.info().jamiId;
  const { members, mode, state, id } = conversation;
  const admin = mode !== 0 && state === "active" &&
    members.some(({ jamiId, role }) => jamiId === self && role === "admin");
  const people = groupTexts[lang];
  return <Members {...{ lang, people, id, self, admin }} t={t.members} common={t.common} first={members} />;
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
      word={title.trim() || id.slice(0, SHORT)}
      revealed={privacy.mayRead(caller, id)}
    />
  );
}
