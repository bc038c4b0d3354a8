/** One's own name and password. */

import { useState } from "preact/hooks";
import type { OwnTexts } from "../routes/texts/account.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Field } from "./parts/form.tsx";
import { useActing } from "./parts/status.tsx";

/** Characters of a name, and of a password at least, as the API has them. */
const MAX_NAME = 64;
const MIN_PASSWORD = 12;

interface Props {
  t: OwnTexts;
  common: Texts["common"];
  name: string;
  /** is there one? */
  password: boolean;
}

export default function Account(props: Props) {
  return (
    <>
      <Name {...props} />
      <Password {...props} />
    </>
  );
}

function Name({ t, common, name: first }: Props) {
  const [name, setName] = useState(first);
  const { act, busy, status } = useActing(common);
  const save = async (event: Event) => {
    event.preventDefault();
    const answer = await act("PATCH", "/session", { name }, t.saved);
    if (answer.ok) location.reload(); // the name stands in the frame of the page, too
  };
  return (
    <section class="panel p-5 mb-6" aria-labelledby="name">
      <h2 id="name" class="text-lg font-semibold mb-3">{t.nameTitle}</h2>
      <form onSubmit={save} class="grid gap-4 max-w-md">
        <Field
          label={t.name}
          hint={t.nameHint}
          name="name"
          required
          maxLength={MAX_NAME}
          autocomplete="username"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <p>
          <button type="submit" class="button primary" disabled={busy || name === first}>{t.save}</button>
        </p>
      </form>
      {status}
    </section>
  );
}

const EMPTY = { present: "", next: "", again: "" };

function Password({ t, common, name, password: has }: Props) {
  const [given, setGiven] = useState(EMPTY);
  const [there, setThere] = useState(has);
  const { act, busy, status } = useActing(common);
  const different = given.again !== "" && given.again !== given.next;
  const save = async (event: Event) => {
    event.preventDefault();
    if (given.next !== given.again) return;
    const body = { password: given.next, ...there && { present: given.present } };
    const answer = await act("PUT", "/password", body, t.changed);
    if (!answer.ok) return;
    setGiven(EMPTY);
    setThere(true);
  };
  const field = (key: keyof typeof EMPTY, autocomplete: "current-password" | "new-password") => ({
    label: t[key],
    name: key,
    type: "password" as const,
    required: true,
    autocomplete,
    value: given[key],
    onInput: (event: { currentTarget: HTMLInputElement }) => setGiven({ ...given, [key]: event.currentTarget.value }),
  });
  return (
    <section class="panel p-5 mb-6" aria-labelledby="password">
      <h2 id="password" class="text-lg font-semibold mb-3">{t.password}</h2>
      {!there && <p class="text-muted mb-3">{t.noPassword}</p>}
      <form onSubmit={save} class="grid gap-4 max-w-md">
        <input type="hidden" name="username" autocomplete="username" value={name} />
        {there && <Field {...field("present", "current-password")} />}
        <Field {...field("next", "new-password")} minLength={MIN_PASSWORD} hint={t.nextHint} />
        <Field {...field("again", "new-password")} problem={different ? t.different : ""} />
        <p>
          <button type="submit" class="button primary" disabled={busy || different}>{there ? t.change : t.set}</button>
        </p>
      </form>
      {status}
    </section>
  );
}
