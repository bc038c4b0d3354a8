/** The node's Jami ID and registered name: to be copied, and the name to be registered where there is none. */

import { useState } from "preact/hooks";
import type { NameInfo } from "../core/node_api.ts";
import type { AddTexts } from "../routes/texts/add.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Field } from "./parts/form.tsx";
import { useActing } from "./parts/status.tsx";
import { Copy } from "./parts/ui.tsx";
import { fill } from "./parts/words.ts";

interface Props {
  t: AddTexts;
  common: Texts["common"];
  jamiId: string;
  registeredName: string;
  /** may who reads it register a name? */
  owner: boolean;
}

export default function Add({ t, common, jamiId, registeredName, owner }: Props) {
  const [name, setName] = useState(registeredName);
  const [asking, setAsking] = useState(false);
  const acting = useActing(common);
  const register = async (event: SubmitEvent & { currentTarget: HTMLFormElement }) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const wanted = `${form.get("name")}`.trim(), password = `${form.get("password")}`;
    acting.say(t.registering);
    const answer = await acting.act<NameInfo>("POST", "/node/name", { name: wanted, password });
    if (!answer.ok) return;
    setName(answer.data.registeredName);
    acting.say(fill(t.registered, { name: answer.data.registeredName }));
  };
  return (
    <dl class="grid gap-4 min-w-0">
      <div>
        <dt class="text-sm font-medium">{t.jamiId}</dt>
        <dd class="flex flex-wrap items-center gap-2 mt-1">
          <code class="min-w-0" data-jami-id>{jamiId}</code>
          <Copy text={jamiId} label={common.copy} done={common.copied} />
        </dd>
      </div>
      <div>
        <dt class="text-sm font-medium">{t.registeredName}</dt>
        <dd class="mt-1">
          {name
            ? (
              <span class="flex flex-wrap items-center gap-2">
                <span class="font-semibold">{name}</span>
                <Copy text={name} label={common.copy} done={common.copied} />
              </span>
            )
            : (
              <span class="flex flex-wrap items-center gap-2 text-muted">
                {t.noName}
                {owner && !asking && (
                  <button type="button" class="button small" onClick={() => setAsking(true)}>{t.registerOne}</button>
                )}
              </span>
            )}
          {!name && asking && (
            <form onSubmit={register} class="grid gap-3 mt-3">
              <Field
                label={t.newName}
                hint={t.registerHint}
                name="name"
                required
                pattern="\s*[a-zA-Z0-9_\-]{3,32}\s*"
                autocomplete="off"
                spellcheck={false}
              />
              <Field
                label={t.archivePassword}
                hint={t.archivePasswordHint}
                name="password"
                type="password"
                autocomplete="off"
              />
              <p>
                <button type="submit" class="button primary" disabled={acting.busy}>{t.register}</button>
              </p>
            </form>
          )}
          {acting.status}
        </dd>
      </div>
    </dl>
  );
}
