/** Who takes part, with their devices; inviting, banning, ending bans. */

import { useRef, useState } from "preact/hooks";
import type { MemberInfo } from "../core/node_api.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { useEvents } from "./parts/live.ts";
import { type PeopleTexts, type Person, PersonField } from "./parts/people.tsx";
import { Badge, Disc, Dot, ROLE_TONES, When } from "./parts/ui.tsx";
import { fill, plural } from "./parts/words.ts";

/** Reading the members anew after something happened: one change brings several events, ms. */
const SOON = 400;

interface Props {
  lang: string;
  t: Texts["members"];
  common: Texts["common"];
  people: PeopleTexts;
  id: string;
  self: string;
  first: MemberInfo[];
  /** may this node invite and ban here? */
  admin: boolean;
}

export default function Members({ lang, t, common, people, id, self, first, admin }: Props) {
  const [members, setMembers] = useState(first);
  const [said, setSaid] = useState("");
  const [banning, setBanning] = useState<MemberInfo | null>(null);
  const dialog = useRef<HTMLDialogElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const refresh = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(async () => {
      const answer = await ask<{ members: MemberInfo[] }>("GET", `/conversations/${id}`);
      if (answer.ok) setMembers(answer.data.members);
    }, SOON);
  };
  useEvents({
    conversation: (data: { id: string }) => data.id === id && refresh(),
    delivery: (data: { conversationId: string }) => data.conversationId === id && refresh(),
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
  const ban = (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const reason = encodeURIComponent(`${new FormData(event.currentTarget).get("reason")}`);
    dialog.current?.close();
    if (banning) act("DELETE", `/members/${banning.jamiId}?reason=${reason}`);
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
        : <p class="mb-4 text-sm text-muted">{t.notAdmin}</p>}
      <p class="text-sm text-accent mb-2" role="status">{said}</p>
      <ul class="panel divide-y divide-line">
        {members.map((member) => (
          <li key={member.jamiId} class="px-5 py-4 flex flex-wrap gap-x-4 gap-y-2 items-start">
            <Disc name={nameOf(member)} />
            <div class="flex-1 min-w-[220px]">
              <p class="flex flex-wrap items-center gap-2">
                <Dot on={member.online} label={member.online ? common.online : common.offline} />
                <span class="font-semibold">
                  {member.jamiId === self ? `${nameOf(member)} (${common.you})` : nameOf(member)}
                </span>
                <Badge tone={ROLE_TONES[member.role]}>{t.roles[member.role]}</Badge>
              </p>
              <p class="text-xs sm:text-sm text-muted break-all">
                <code>{member.jamiId}</code>
              </p>
              {member.jamiId !== self && <Devices {...{ member, lang, t, common }} />}
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
                onClick={() => {
                  setBanning(member);
                  dialog.current?.showModal();
                }}
              >
                {t.ban}
              </button>
            )}
          </li>
        ))}
      </ul>
      <dialog ref={dialog} aria-labelledby="ban-title">
        <form onSubmit={ban} class="grid gap-3">
          <h2 id="ban-title" class="text-lg font-semibold">{fill(t.banTitle, { name: nameOf(banning) })}</h2>
          <p class="text-sm text-muted">{t.banHint}</p>
          <label class="grid gap-1 text-sm font-medium">
            {t.banReason}
            <input class="field font-normal" name="reason" maxLength={500} />
          </label>
          <div class="flex justify-end gap-2 mt-2">
            <button type="button" class="button" onClick={() => dialog.current?.close()}>{common.cancel}</button>
            <button type="submit" class="button danger">{t.banConfirm}</button>
          </div>
        </form>
      </dialog>
    </>
  );
}

function Devices({ member, lang, t, common }: { member: MemberInfo } & Pick<Props, "lang" | "t" | "common">) {
  if (member.devices.length === 0) return <p class="text-sm text-muted mt-1">{t.noDevices}</p>;
  return (
    <ul class="mt-2 grid gap-1">
      {member.devices.map(({ deviceId, lag, online, lastSeen }) => (
        <li key={deviceId} class="text-sm text-muted flex flex-wrap items-center gap-x-3 gap-y-1">
          <span class="inline-flex items-center gap-2">
            <Dot on={online} label={online ? common.online : common.offline} />
            <code title={deviceId}>{deviceId.slice(0, 12)}</code>
          </span>
          <Badge tone={lag === null ? "plain" : lag === 0 ? "good" : "warn"}>
            {lag === null ? t.lagUnknown : lag === 0 ? t.hasAll : plural(lang, lag, t.lag)}
          </Badge>
          {!online && lastSeen !== null && <Seen at={lastSeen} {...{ lang, t }} />}
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
