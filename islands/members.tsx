/** Who takes part, with their devices; inviting, banning, ending bans. A group may have thousands: they are drawn part by part, and searched. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { MemberInfo, MembersPage } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import type { ModerationTexts } from "../routes/texts/moderation.ts";
import { ask } from "./parts/api.ts";
import { BanDialog, BanLine, type Wish } from "./parts/ban.tsx";
import { useEvents } from "./parts/live.ts";
import { type PeopleTexts, type Person, PersonField } from "./parts/people.tsx";
import { Badge, Disc, Dot, ROLE_TONES, When } from "./parts/ui.tsx";
import { fill, plural } from "./parts/words.ts";

/** Reading the members anew after something happened: one change brings several events, ms. */
const SOON = 400;
/** After the last key a search waits, ms. */
const PATIENCE = 250;

interface Props {
  lang: string;
  t: Texts["members"];
  common: Texts["common"];
  people: PeopleTexts;
  bans: ModerationTexts;
  id: string;
  self: string;
  first: MembersPage;
  /** so many are drawn at first, and added by "more" */
  step: number;
  /** may this node invite and ban here? */
  admin: boolean;
  /** the node has left: these were the members then */
  left: boolean;
}

/** Who is to be banned: a member, or one device. */
interface Target {
  path: string;
  name: string;
}

export default function Members({ lang, t, common, people, bans, id, self, first, step, admin, left }: Props) {
  const [{ items: members, next, total }, setMembers] = useState(first);
  const [query, setQuery] = useState("");
  const [said, setSaid] = useState("");
  const [banning, setBanning] = useState<Target | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const asked = useRef(0);
  /** Reads so many of those who fit, from the first on; an answer that another question has overtaken is of no use. */
  const read = async (wanted: number) => {
    const number = ++asked.current;
    const page = await membersOf(id, query.trim(), wanted);
    if (page && number === asked.current) setMembers(page);
  };
  const latest = useRef(read);
  latest.current = read;
  const refresh = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(Math.max(step, members.length)), SOON);
  };
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    const wait = setTimeout(() => latest.current(step), PATIENCE);
    return () => clearTimeout(wait);
  }, [query]);
  useEvents({
    conversation: (data: { id: string }) => data.id === id && refresh(),
    delivery: (data: { conversationId: string }) => data.conversationId === id && refresh(),
    moderation: refresh,
    presence: (data: { jamiId: string }) => members.some(({ jamiId }) => jamiId === data.jamiId) && refresh(),
  });
  const act = async (method: string, path: string, body?: unknown, done = "") => {
    const answer = await ask(method, `/conversations/${id}${path}`, body);
    setSaid(answer.ok ? done : fill(common.failed, { reason: answer.reason || common.unreachable }));
    if (answer.ok) refresh();
  };
  const invite = async ({ jamiId }: Person) => {
    const answer = await ask("POST", `/conversations/${id}/members`, { jamiId });
    if (!answer.ok) return fill(common.failed, { reason: answer.reason || common.unreachable });
    setSaid(t.invited);
    refresh();
    return "";
  };
  const ban = ({ reason = "", expiresIn }: Wish) => {
    const query = new URLSearchParams({ reason, ...expiresIn !== undefined && { expiresIn: `${expiresIn}` } });
    setBanning(null);
    if (banning) act("DELETE", `${banning.path}?${query}`);
  };
  const nameOf = (member: MemberInfo | null) =>
    member?.name || member?.registeredName || member?.jamiId.slice(0, 8) || "";

  return (
    <>
      {admin
        ? (
          <section class="panel p-5 mb-4">
            <PersonField t={people} common={common} label={t.invite} onPerson={invite} />
          </section>
        )
        : <p class="mb-4 text-sm text-muted">{left ? t.left : t.notAdmin}</p>}
      {(first.total > step || query !== "") && (
        <form
          class="mb-2"
          role="search"
          onSubmit={(event) => event.preventDefault()}
        >
          <input
            class="field w-full"
            type="search"
            maxLength={200}
            placeholder={t.search}
            aria-label={t.search}
            data-search
            value={query}
            onInput={(event) => setQuery(event.currentTarget.value)}
          />
        </form>
      )}
      <p class="text-sm text-muted mb-2" role="status">
        {total === 0 && query !== "" ? t.nobodyFits : plural(lang, total, query === "" ? t.all : t.found)}
      </p>
      <p class="text-sm text-accent mb-2" role="status">{said}</p>
      <ul class={members.length > 0 ? "panel divide-y divide-line" : "hidden"}>
        {members.map((member) => (
          <li key={member.jamiId} class="px-5 py-4 flex flex-wrap gap-x-4 gap-y-2 items-start">
            <Disc name={nameOf(member)} />
            <div class="flex-1 min-w-[220px]">
              <p class="flex flex-wrap items-center gap-2">
                <Dot on={member.online} label={member.online ? common.online : common.offline} />
                <span class="font-semibold min-w-0">
                  <bdi>{nameOf(member)}</bdi>
                  {member.jamiId === self && ` (${common.you})`}
                </span>
                <Badge tone={ROLE_TONES[member.role]}>{t.roles[member.role]}</Badge>
                {member.ban?.held && <Badge tone="warn">{bans.ban.held}</Badge>}
              </p>
              <p class="text-xs sm:text-sm text-muted break-all">
                <code>{member.jamiId}</code>
              </p>
              {member.ban && <BanLine ban={member.ban} lang={lang} t={bans} />}
              {member.jamiId !== self && (
                <Devices
                  {...{ member, lang, t, common, bans }}
                  admin={admin && member.role !== "admin"}
                  onBan={(device) => setBanning({ path: `/devices/${device}`, name: device.slice(0, 12) })}
                  onUnban={(device) => act("POST", `/devices/${device}/unban`)}
                />
              )}
            </div>
            {admin && member.jamiId !== self && member.role === "banned" && (
              <button
                type="button"
                class="button small"
                onClick={() => act("POST", `/members/${member.jamiId}/unban`)}
              >
                {t.unban}
              </button>
            )}
            {admin && member.jamiId !== self && (member.role === "member" || member.role === "invited") && (
              <button
                type="button"
                class="button small danger"
                onClick={() => setBanning({ path: `/members/${member.jamiId}`, name: nameOf(member) })}
              >
                {t.ban}
              </button>
            )}
          </li>
        ))}
      </ul>
      {next !== null && (
        <p class="mt-4 text-center">
          <button type="button" class="button" onClick={() => read(members.length + step)}>{t.more}</button>
        </p>
      )}
      <BanDialog
        name={banning?.name ?? null}
        t={bans}
        cancel={common.cancel}
        hint={t.banHint}
        onClose={() => setBanning(null)}
        onBan={ban}
      />
    </>
  );
}

/** Members that one answer brings at most. */
const MOST = 1_000;

/** So many of those who fit; null = the node did not answer. */
async function membersOf(id: string, q: string, wanted: number): Promise<MembersPage | null> {
  const page: MembersPage = { items: [], next: null, total: 0 };
  do {
    const limit = `${Math.min(MOST, wanted - page.items.length)}`;
    const query = new URLSearchParams({ limit, ...q && { q }, ...page.next && { after: page.next } });
    const answer = await ask<{ members: MemberInfo[]; next: string | null; total: number }>(
      "GET",
      `/conversations/${id}/members?${query}`,
    );
    if (!answer.ok) return null;
    const { members, next, total } = answer.data;
    Object.assign(page, { items: [...page.items, ...members], next, total });
  } while (page.next !== null && page.items.length < wanted);
  return page;
}

interface DevicesProps extends Pick<Props, "lang" | "t" | "common" | "bans" | "admin"> {
  member: MemberInfo;
  onBan: (device: string) => void;
  onUnban: (device: string) => void;
}

function Devices({ member, lang, t, common, bans, admin, onBan, onUnban }: DevicesProps) {
  if (member.devices.length === 0) return <p class="text-sm text-muted mt-1">{t.noDevices}</p>;
  return (
    <ul class="mt-2 grid gap-1">
      {member.devices.map(({ deviceId, lag, online, lastSeen, banned, ban }) => (
        <li key={deviceId} class="text-sm text-muted flex flex-wrap items-center gap-x-3 gap-y-1">
          <span class="inline-flex items-center gap-2">
            <Dot on={online} label={online ? common.online : common.offline} />
            <code title={deviceId}>{deviceId.slice(0, 12)}</code>
          </span>
          {banned
            ? <Badge tone="bad">{t.roles.banned}</Badge>
            : (
              <Badge tone={lag === null ? "plain" : lag === 0 ? "good" : "warn"}>
                {lag === null ? t.lagUnknown : lag === 0 ? t.hasAll : plural(lang, lag, t.lag)}
              </Badge>
            )}
          {!online && lastSeen !== null && <Seen at={lastSeen} {...{ lang, t }} />}
          {admin && (banned || member.role === "member") && (
            <button
              type="button"
              class="link min-h-[24px]"
              aria-label={`${banned ? t.unban : t.banDevice} ${deviceId.slice(0, 12)}`}
              onClick={() => banned ? onUnban(deviceId) : onBan(deviceId)}
            >
              {banned ? t.unban : t.banDevice}
            </button>
          )}
          {ban && <BanLine ban={ban} lang={lang} t={bans} />}
        </li>
      ))}
    </ul>
  );
}

function Seen({ at, lang, t }: { at: number; lang: string; t: Texts["members"] }) {
  const [before, after] = t.lastSeen.split("{time}");
  return (
    <span>
      {before}
      <When at={at} lang={lang} key={at} />
      {after}
    </span>
  );
}
