/** Who may use the console: their roles, invitations of more, and letting them go. */

import { useState } from "preact/hooks";
import type { AdminsTexts } from "../routes/texts/admins.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { Confirm } from "./parts/dialog.tsx";
import { Choice } from "./parts/form.tsx";
import { Once, Timed } from "./parts/once.tsx";
import { type Role, roleOptions, ROLES } from "./parts/roles.ts";
import { useActing } from "./parts/status.tsx";
import { Badge, Disc, When } from "./parts/ui.tsx";
import { fill, plural } from "./parts/words.ts";

/** Days that an invitation can be good for. */
const DAYS = [1, 3, 7, 30];

/** An admin, as the API tells it. */
export interface Admin {
  id: string;
  name: string;
  role: Role;
  created: number;
  password: boolean;
  passkeys: number;
  sessions: number;
  seen: number | null;
}

/** An open invitation, as the API tells it. */
export interface Invitation {
  id: string;
  role: Role;
  madeBy: string;
  created: number;
  expires: number;
}

interface Props {
  lang: string;
  t: AdminsTexts;
  common: Texts["common"];
  /** id of who reads this */
  self: string;
  first: Admin[];
  invitations: Invitation[];
}

export default function Admins({ lang, t, common, self, first, invitations: open }: Props) {
  const [admins, setAdmins] = useState(first);
  const [invitations, setInvitations] = useState(open);
  const [made, setMade] = useState<Invitation & { link: string } | null>(null);
  const [question, setQuestion] = useState<{ kind: "remove" | "signOut"; admin: Admin } | null>(null);
  const { act, busy, status } = useActing(common);
  const refresh = async () => {
    const answer = await ask<{ admins: Admin[] }>("GET", "/admins");
    if (answer.ok) setAdmins(answer.data.admins);
  };
  const setRole = async (admin: Admin, role: string) => {
    const name = ROLES.find((one) => one === role) ?? admin.role;
    await act("PATCH", `/admins/${admin.id}`, { role }, fill(t.roleChanged, { name: admin.name, role: t.roles[name] }));
    await refresh();
  };
  const confirmed = async () => {
    if (!question) return;
    const { kind, admin } = question;
    setQuestion(null);
    const path = `/admins/${admin.id}${kind === "signOut" ? "/sessions" : ""}`;
    await act("DELETE", path, undefined, fill(kind === "signOut" ? t.signedOut : t.removed, { name: admin.name }));
    await refresh();
  };
  const invite = async (role: string, days: number) => {
    const answer = await act<Invitation & { link: string }>("POST", "/admin-invitations", { role, days });
    if (!answer.ok) return;
    setMade(answer.data);
    setInvitations((before) => [...before, answer.data]);
  };
  const takeBack = async (id: string) => {
    const answer = await act("DELETE", `/admin-invitations/${id}`, undefined, t.takenBack);
    if (answer.ok || answer.status === 404) setInvitations((before) => before.filter((one) => one.id !== id));
    if (made?.id === id) setMade(null);
  };
  const owners = admins.filter(({ role }) => role === "owner").length;
  return (
    <>
      {status}
      <ul class="panel divide-y divide-line mb-6">
        {admins.map((admin) => (
          <li key={admin.id} class="px-4 sm:px-5 py-4 flex flex-wrap items-center gap-x-4 gap-y-3">
            <Disc name={admin.name} />
            <div class="flex-1 min-w-[200px]">
              <p class="font-semibold break-words">
                <bdi>{admin.name}</bdi> {admin.id === self && <Badge tone="accent">{t.you}</Badge>}
              </p>
              <Facts {...{ admin, lang, t }} />
            </div>
            <div class="flex flex-wrap items-center gap-2">
              <select
                class="field small"
                aria-label={fill(t.roleOf, { name: admin.name })}
                value={admin.role}
                disabled={busy || (admin.role === "owner" && owners === 1)}
                onChange={(event) => setRole(admin, event.currentTarget.value)}
              >
                {ROLES.map((role) => (
                  <option key={role} value={role} selected={role === admin.role}>{t.roles[role]}</option>
                ))}
              </select>
              {admin.id !== self && (
                <button
                  type="button"
                  class="button small"
                  disabled={busy || admin.sessions === 0}
                  onClick={() => setQuestion({ kind: "signOut", admin })}
                >
                  {t.signOut}
                </button>
              )}
              <button
                type="button"
                class="button small danger"
                disabled={busy || (admin.role === "owner" && owners === 1)}
                onClick={() => setQuestion({ kind: "remove", admin })}
              >
                {t.remove}
              </button>
            </div>
          </li>
        ))}
      </ul>
      {owners === 1 && <p class="-mt-4 mb-6 text-sm text-muted">{t.lastOwner}</p>}
      <Invite t={t} lang={lang} busy={busy} onInvite={invite} />
      {made && (
        <Once
          title={t.linkMade}
          hint={
            <Timed text={t.linkHint}>
              <When at={made.expires} lang={lang} />
            </Timed>
          }
          secret={made.link}
          common={common}
        />
      )}
      {invitations.length > 0 && (
        <section class="mb-6" aria-labelledby="open-invitations">
          <h3 id="open-invitations" class="font-semibold mb-2">{t.open}</h3>
          <ul class="panel divide-y divide-line">
            {invitations.map(({ id, role, madeBy, expires }) => (
              <li key={id} class="px-4 sm:px-5 py-3 flex flex-wrap items-center gap-x-4 gap-y-2">
                <Badge tone="accent">{t.roles[role]}</Badge>
                <span class="text-sm text-muted mr-auto">
                  {fill(t.madeBy, { name: madeBy })} ·{" "}
                  <Timed text={t.until}>
                    <When at={expires} lang={lang} />
                  </Timed>
                </span>
                <button
                  type="button"
                  class="button small"
                  disabled={busy}
                  onClick={() =>
                    takeBack(id)}
                >
                  {t.takeBack}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Confirm
        open={question !== null}
        title={fill(question?.kind === "signOut" ? t.signOutTitle : t.removeTitle, {
          name: question?.admin.name ?? "",
        })}
        hint={question?.kind === "signOut" ? t.signOutHint : t.removeHint}
        confirm={question?.kind === "signOut" ? t.signOut : t.remove}
        cancel={common.cancel}
        danger
        onClose={() => setQuestion(null)}
        onConfirm={confirmed}
      />
    </>
  );
}

function Facts({ admin, lang, t }: Pick<Props, "lang" | "t"> & { admin: Admin }) {
  const { password, passkeys, sessions, seen } = admin;
  const means = [password && t.password, passkeys > 0 && plural(lang, passkeys, t.passkeys)].filter(Boolean).join(", ");
  return (
    <p class="text-sm text-muted">
      {seen === null ? t.neverSeen : (
        <Timed text={t.seen}>
          <When at={seen} lang={lang} key={seen} />
        </Timed>
      )}
      {` · ${sessions > 0 ? plural(lang, sessions, t.sessions) : t.noSessions} · ${means}`}
    </p>
  );
}

interface InviteProps extends Pick<Props, "lang" | "t"> {
  busy: boolean;
  onInvite: (role: string, days: number) => void;
}

function Invite({ lang, t, busy, onInvite }: InviteProps) {
  const [role, setRole] = useState<string>("moderator");
  const [days, setDays] = useState("3");
  return (
    <section class="panel p-4 sm:p-5 mb-6" aria-labelledby="invite">
      <h3 id="invite" class="font-semibold">{t.invite}</h3>
      <p class="text-sm text-muted mb-3">{t.inviteHint}</p>
      <form
        class="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          onInvite(role, Number(days));
        }}
      >
        <div class="w-full sm:w-auto sm:flex-1">
          <Choice label={t.role} value={role} onChoose={setRole} options={roleOptions(t)} />
        </div>
        <Choice
          label={t.days}
          value={days}
          onChoose={setDays}
          options={DAYS.map((n) => ({ value: `${n}`, name: plural(lang, n, t.dayCount) }))}
        />
        <button type="submit" class="button primary" disabled={busy}>{t.makeLink}</button>
      </form>
    </section>
  );
}
