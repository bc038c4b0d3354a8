/** One entry of a timeline. */

import type { ShownMessage } from "../../routes/privacy.ts";
import type { Texts } from "../../routes/texts/en.ts";
import { clockOf, dayName, timeName } from "./days.ts";
import { Badge, Disc, Who } from "./ui.tsx";
import { bytes, fill, plural, span } from "./words.ts";

/** Characters of an answered message that the answer shows. */
const MAX_QUOTE = 90;

interface EntryProps {
  message: ShownMessage;
  /** the message that it answers */
  answers?: ShownMessage;
  lang: string;
  t: Texts["timeline"];
  common: Texts["common"];
  names: Record<string, string>;
  /** are days those of the reader's place? */
  zone: boolean;
  /** the day that begins with it, for who reads downwards; null = none does */
  day: string | null;
  /** it is what the address names */
  chosen: boolean;
  onChoose: (message: string) => void;
}

export function Entry(props: EntryProps) {
  const { message, lang, day, chosen } = props;
  const said = message.entry.kind === "text" || message.entry.kind === "file";
  return (
    <li aria-current={chosen ? "true" : undefined} class={chosen ? "bg-accent-soft" : ""}>
      {day !== null && (
        <h2 class="px-5 py-1 bg-sunken border-y border-line text-xs font-medium text-muted">{dayName(day, lang)}</h2>
      )}
      {said ? <Said {...props} /> : (
        <p class="px-5 py-2 flex flex-wrap items-baseline gap-x-3 text-sm text-muted">
          <span class="min-w-0 break-words">{happening(props)}</span>
          <Link {...props} />
        </p>
      )}
    </li>
  );
}

/** The time of the clock, which is the address of the entry. */
function Link({ message: { id, timestamp }, lang, zone, onChoose }: EntryProps) {
  return (
    <a
      href={`?at=${id}`}
      class="text-xs text-muted hover:underline"
      title={timeName(timestamp, lang, zone)}
      onClick={(event) => {
        event.preventDefault();
        onChoose(id);
      }}
    >
      <time dateTime={new Date(timestamp * 1000).toISOString()}>{clockOf(timestamp, lang, zone)}</time>
    </a>
  );
}

function Said(props: EntryProps) {
  const { message: { entry, author }, names } = props;
  if (entry.kind !== "text" && entry.kind !== "file") return null;
  return (
    <div class="px-5 py-3 flex gap-3">
      <Disc name={names[author] ?? author} />
      <div class="min-w-0 flex-1">
        <p class="flex flex-wrap items-baseline gap-x-2">
          <Who id={author} name={names[author]} />
          <Link {...props} />
          {entry.kind === "text" && entry.edited && !entry.deleted && entry.history.length === 0 && (
            <Badge>{props.t.edited}</Badge>
          )}
        </p>
        <Quote {...props} />
        {entry.kind === "text" ? <Text {...props} entry={entry} /> : <File {...props} entry={entry} />}
        <Reactions {...props} reactions={entry.reactions} />
      </div>
    </div>
  );
}

type TextEntry = Extract<ShownMessage["entry"], { kind: "text" }>;
type FileEntry = Extract<ShownMessage["entry"], { kind: "file" }>;

function Text({ entry, t }: EntryProps & { entry: TextEntry }) {
  const { text, deleted, history } = entry;
  if (deleted) return <p class="italic text-muted">{t.deleted}</p>;
  if (text === null) return <Hidden label={t.hiddenText} />;
  return (
    <>
      <p class="whitespace-pre-wrap break-words">
        <bdi>{text}</bdi>
      </p>
      {history.length > 0 && (
        <details class="text-sm text-muted">
          <summary class="cursor-pointer">{t.edited}</summary>
          {history.map((one, i) => (
            <p key={i} class="whitespace-pre-wrap break-words">{sentence(t.before, { text: <bdi>{one.text}</bdi> })}</p>
          ))}
        </details>
      )}
    </>
  );
}

function File({ entry, lang, t }: EntryProps & { entry: FileEntry }) {
  const { name, size, deleted } = entry.file;
  return (
    <p class="flex flex-wrap items-center gap-2">
      <Badge tone="accent">{t.file}</Badge>
      {deleted
        ? <span class="italic text-muted">{t.deleted}</span>
        : name === null
        ? <Hidden label={t.hiddenFile} />
        : <bdi class="break-all">{name}</bdi>}
      {size !== null && !deleted && <span class="text-sm text-muted figure">{bytes(lang, size)}</span>}
    </p>
  );
}

function Hidden({ label }: { label: string }) {
  return (
    <span class="inline-block">
      <span class="veil" aria-hidden="true" />
      <span class="sr-only">{label}</span>
    </span>
  );
}

/** What is answered, in one line. */
function Quote({ message: { entry }, answers, t, names, onChoose }: EntryProps) {
  if (!("replyTo" in entry) || !entry.replyTo) return null;
  const { replyTo } = entry;
  const name = answers ? names[answers.author] ?? answers.author.slice(0, 8) : replyTo.slice(0, 8);
  const text = answers?.entry.kind === "text" ? answers.entry.text ?? "" : "";
  return (
    <p class="text-sm text-muted border-l-2 border-line pl-2 my-1 truncate">
      <a
        href={`?at=${replyTo}`}
        class="hover:underline"
        onClick={(event) => {
          event.preventDefault();
          onChoose(replyTo);
        }}
      >
        {sentence(t.replyTo, { name: <bdi>{name}</bdi> })}
      </a>
      {text && (
        <>
          : <bdi>{text.length > MAX_QUOTE ? `${text.slice(0, MAX_QUOTE)}…` : text}</bdi>
        </>
      )}
    </p>
  );
}

interface Reaction {
  id: string;
  author: string;
  body: string | null;
}

function Reactions({ reactions, lang, t, names }: EntryProps & { reactions: Reaction[] }) {
  if (reactions.length === 0) return null;
  const hidden = reactions.some(({ body }) => body === null);
  const label = plural(lang, reactions.length, t.reactions);
  if (hidden) {
    return (
      <p class="mt-1">
        <Badge>{label}</Badge>
      </p>
    );
  }
  const groups = Object.entries(Object.groupBy(reactions, ({ body }) => body ?? ""));
  return (
    <p class="mt-1 flex flex-wrap gap-1">
      {groups.map(([body, of = []]) => (
        <span
          key={body}
          class="rounded-full bg-sunken px-2 py-px text-sm"
          title={of.map(({ author }) => names[author] ?? author.slice(0, 8)).join(", ")}
        >
          <bdi>{body}</bdi> {of.length > 1 && of.length}
        </span>
      ))}
    </p>
  );
}

/** What happened, in a sentence, for what nobody said. */
function happening({ message: { entry, author }, lang, t, names }: EntryProps) {
  const who = <Who id={author} name={names[author]} />;
  const whom = (id: string | null, device: string | null) =>
    id ? <Who id={id} name={names[id]} /> : <span>{fill(t.device, { id: (device ?? "").slice(0, 8) })}</span>;
  switch (entry.kind) {
    case "member": {
      const { action, jamiId, deviceId } = entry.member;
      const { other, ...known } = t.actions;
      const form = Object.entries(known).find(([name]) => name === action)?.[1] ?? other;
      return sentence(form, { who, whom: whom(jamiId, deviceId), action });
    }
    case "vote":
      return sentence(t.vote, { who, whom: whom(entry.vote.jamiId, entry.vote.deviceId) });
    case "call": {
      const { duration, active } = entry.call;
      const text = active
        ? t.callActive
        : duration
        ? fill(t.callOver, { duration: span(lang, duration / 1000) })
        : t.callMissed;
      return <>{who}: {text}</>;
    }
    case "profile":
    case "initial":
      return sentence(t[entry.kind], { who });
    case "document":
      return (
        <>
          {who}: {t.document}
          {entry.document.name && (
            <>
              (<bdi>{entry.document.name}</bdi>)
            </>
          )}
        </>
      );
    case "merge":
    case "edit":
    case "reaction":
      return t[entry.kind];
    default:
      return <>{who}: {t.unknown}</>;
  }
}

/** A text with elements in its `{places}`. */
function sentence(text: string, parts: Record<string, preact.ComponentChildren>) {
  return text.split(/(\{\w+\})/).map((part, i) => <span key={i}>{parts[part.slice(1, -1)] ?? part}</span>);
}
