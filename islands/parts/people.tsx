/** Somebody by registered name, Jami ID or QR code: looked up before they are taken. */

import { useState } from "preact/hooks";
import type { NameInfo } from "../../core/node_api.ts";
import type { Texts } from "../../routes/texts/en.ts";
import { ask } from "./api.ts";
import { Field } from "./form.tsx";
import { jamiIdIn, nameIn } from "./jami_id.ts";
import { QrReader, type QrTexts } from "./qr_reader.tsx";
import { fill } from "./words.ts";

/** Somebody who was found. */
export interface Person {
  jamiId: string;
  /** "" = none is known */
  name: string;
}

/** What the parts say. */
export interface PeopleTexts extends QrTexts {
  person: string;
  add: string;
  notAPerson: string;
}

interface Props {
  t: PeopleTexts;
  common: Texts["common"];
  /** what the button says; else "Add" */
  label?: string;
  /** Somebody was chosen. @returns what is wrong with that; "" = nothing */
  onPerson: (person: Person) => string | Promise<string>;
}

/** A line to find somebody with. It is no form of its own, so that it may stand in one. */
export function PersonField({ t, common, label, onPerson }: Props) {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const take = async (given: string) => {
    if (given.trim() === "" || busy) return;
    setBusy(true);
    const found = await find(given, t, common);
    const wrong = typeof found === "string" ? found : await onPerson(found);
    setBusy(false);
    setProblem(wrong);
    if (wrong === "") setText("");
  };
  return (
    <div class="grid gap-2">
      <div class="flex flex-wrap gap-2 items-end">
        <div class="flex-1 min-w-[220px]">
          <Field
            label={t.person}
            value={text}
            autocomplete="off"
            spellcheck={false}
            autocapitalize="off"
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault(); // in a form it would send the form
              take(text);
            }}
          />
        </div>
        <button type="button" class="button" disabled={busy} onClick={() => take(text)}>{label ?? t.add}</button>
      </div>
      <p class="text-sm text-bad" role="alert">{problem}</p>
      <QrReader
        t={t}
        onCode={(code) => {
          const isPerson = jamiIdIn(code) !== null;
          if (isPerson) take(code);
          return isPerson;
        }}
      />
    </div>
  );
}

/** Whose name or Jami ID it is; or what is wrong. */
async function find(given: string, t: PeopleTexts, common: Texts["common"]): Promise<Person | string> {
  const id = jamiIdIn(given), name = nameIn(given);
  if (id !== null) return { jamiId: id, name: "" };
  if (name === null) return t.notAPerson;
  const found = await ask<NameInfo>("GET", `/names/${encodeURIComponent(name)}`);
  if (found.ok) return { jamiId: found.data.jamiId, name: found.data.registeredName };
  return fill(common.failed, { reason: found.reason || common.unreachable });
}
