/** Small pieces that pages and islands share. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { timeName, useLocalDays } from "./days.ts";
import type { ConversationSummary, MemberInfo } from "../../core/node_api.ts";

/** What a badge says about its text. */
export type Tone = "plain" | "good" | "warn" | "bad" | "accent";

const TONES: Record<Tone, string> = {
  plain: "bg-sunken text-muted",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  accent: "bg-accent-soft text-accent",
};

/** How a conversation stands. */
export const STATE_TONES: Record<ConversationSummary["state"], Tone> = {
  active: "good",
  cloning: "accent",
  leaving: "warn",
  left: "plain",
  damaged: "bad",
};

/** What somebody is in a conversation. */
export const ROLE_TONES: Record<MemberInfo["role"], Tone> = {
  admin: "accent",
  member: "plain",
  invited: "warn",
  banned: "bad",
  left: "plain",
};

/** A word about a state. */
export function Badge({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
  return (
    <span
      class={`inline-flex items-center rounded-full px-2 py-px text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}

/** A dot beside who is online. */
export function Dot({ on, label }: { on: boolean; label: string }) {
  return (
    <span class="inline-flex items-center">
      <span
        class={`inline-block w-2 h-2 rounded-full ${on ? "bg-good" : "border border-muted"}`}
        aria-hidden="true"
      />
      <span class="sr-only">{label}</span>
    </span>
  );
}

/** A time: in UTC from the server, in the reader's own place once the page lives. @param at seconds since 1970 */
export function When({ at, lang }: { at: number; lang: string }) {
  const local = useLocalDays();
  return <time dateTime={new Date(at * 1000).toISOString()} data-local>{timeName(at, lang, local)}</time>;
}

/** A button that puts a text on the clipboard. */
export function Copy({ text, label, done }: { text: string; label: string; done: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return <button type="button" class="button small" onClick={copy} aria-live="polite">{copied ? done : label}</button>;
}

/** The name of somebody, or the beginning of their id. */
export function Who({ id, name }: { id: string; name?: string }) {
  if (name) {
    return (
      <span class="font-semibold" title={id}>
        <bdi>{name}</bdi>
      </span>
    );
  }
  return <code title={id}>{id.slice(0, 8)}</code>;
}

/** The first letter of a name in a disc, for the eye only. */
export function Disc({ name }: { name: string }) {
  return (
    <span
      class="flex-none inline-flex items-center justify-center w-9 h-9 rounded-full bg-accent-soft text-accent text-sm font-semibold"
      aria-hidden="true"
    >
      {[...name.trim()][0]?.toLocaleUpperCase() ?? "#"}
    </span>
  );
}
