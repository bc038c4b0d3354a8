/** Secrets for programs: made, with a role and an end, and revoked. */

import { useState } from "preact/hooks";
import type { AdminsTexts } from "../routes/texts/admins.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Confirm } from "./parts/dialog.tsx";
import { Choice, Field } from "./parts/form.tsx";
import { Once, Timed } from "./parts/once.tsx";
import { type Role, roleOptions } from "./parts/roles.ts";
import { useActing } from "./parts/status.tsx";
import { Badge, When } from "./parts/ui.tsx";
import { fill, plural } from "./parts/words.ts";

/** Days after which a token can end; 0 = never. */
const DAYS = [7, 30, 90, 365, 0];

/** A token, as the API tells it. */
export interface Token {
  id: string;
  name: string;
  role: Role;
  madeBy: string;
  created: number;
  expires: number | null;
  used: number | null;
}

interface Props {
  lang: string;
  t: AdminsTexts;
  common: Texts["common"];
  first: Token[];
  /** seconds since 1970, when the page was drawn */
  now: number;
}

export default function Tokens({ lang, t, common, first, now }: Props) {
  const [tokens, setTokens] = useState(first);
  const [made, setMade] = useState<Token & { token: string } | null>(null);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const { act, busy, status } = useActing(common);
  const make = async (name: string, role: string, days: number) => {
    const answer = await act<Token & { token: string }>("POST", "/tokens", { name, role, days: days || null });
    if (!answer.ok) return;
    setMade(answer.data);
    setTokens((before) => [...before, answer.data]);
  };
  const revoke = async () => {
    if (!revoking) return;
    const { id, name } = revoking;
    setRevoking(null);
    const answer = await act("DELETE", `/tokens/${id}`, undefined, fill(t.revoked, { name }));
    if (answer.ok || answer.status === 404) setTokens((before) => before.filter((one) => one.id !== id));
    if (made?.id === id) setMade(null);
  };
  return (
    <>
      <Make {...{ lang, t, busy }} onMake={make} />
      {status}
      {made && (
        <Once
          title={fill(t.tokenMade, { name: made.name })}
          hint={t.tokenHint}
          secret={made.token}
          common={common}
        />
      )}
      {tokens.length === 0 ? <p class="text-muted">{t.noTokens}</p> : (
        <ul class="panel divide-y divide-line">
          {tokens.map((token) => (
            <li key={token.id} class="px-4 sm:px-5 py-3 flex flex-wrap items-center gap-x-4 gap-y-2">
              <div class="flex-1 min-w-[200px]">
                <p class="font-medium flex flex-wrap items-center gap-2">
                  {token.name} <Badge>{t.roles[token.role]}</Badge>
                  {token.expires !== null && token.expires <= now && <Badge tone="bad">{t.expired}</Badge>}
                </p>
                <Facts {...{ token, lang, t }} />
              </div>
              <button
                type="button"
                class="button small danger"
                disabled={busy}
                onClick={() =>
                  setRevoking(token)}
              >
                {t.revoke}
              </button>
            </li>
          ))}
        </ul>
      )}
      <Confirm
        open={revoking !== null}
        title={fill(t.revokeTitle, { name: revoking?.name ?? "" })}
        hint={t.revokeHint}
        confirm={t.revoke}
        cancel={common.cancel}
        danger
        onClose={() => setRevoking(null)}
        onConfirm={revoke}
      />
    </>
  );
}

function Facts({ token: { madeBy, expires, used }, lang, t }: Pick<Props, "lang" | "t"> & { token: Token }) {
  return (
    <p class="text-sm text-muted">
      {fill(t.madeBy, { name: madeBy })} · {expires === null ? `${t.expires}: ${t.never}` : (
        <Timed text={t.until}>
          <When at={expires} lang={lang} />
        </Timed>
      )} · {used === null ? t.neverUsed : (
        <Timed text={t.used}>
          <When at={used} lang={lang} />
        </Timed>
      )}
    </p>
  );
}

interface MakeProps extends Pick<Props, "lang" | "t"> {
  busy: boolean;
  onMake: (name: string, role: string, days: number) => void;
}

function Make({ lang, t, busy, onMake }: MakeProps) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const [days, setDays] = useState("90");
  return (
    <form
      class="panel p-4 sm:p-5 mb-4 grid gap-3 items-end sm:grid-cols-[1fr_1.4fr_auto_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        onMake(name, role, Number(days));
        setName("");
      }}
    >
      <Field
        label={t.tokenName}
        placeholder={t.tokenNameHint}
        required
        maxLength={64}
        autocomplete="off"
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <Choice label={t.role} value={role} onChoose={setRole} options={roleOptions(t)} />
      <Choice
        label={t.expires}
        value={days}
        onChoose={setDays}
        options={DAYS.map((n) => ({ value: `${n}`, name: n === 0 ? t.never : plural(lang, n, t.afterDays) }))}
      />
      <button type="submit" class="button primary" disabled={busy}>{t.makeToken}</button>
    </form>
  );
}
