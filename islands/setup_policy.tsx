/** The step of the set-up that says whom the node lets in. */

import { useState } from "preact/hooks";
import type { SetupSettings } from "../core/node_api.ts";
import type { SetupTexts } from "../routes/texts/setup.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Area } from "./parts/form.tsx";
import { jamiIdIn } from "./parts/jami_id.ts";
import { useActing } from "./parts/status.tsx";
import { fill } from "./parts/words.ts";

type Policy = SetupSettings["acceptRequests"];
const POLICIES: Policy[] = ["manual", "allowlist", "anyone"];

interface Props {
  t: SetupTexts;
  common: Texts["common"];
  policy: Policy;
  allowlist: string[];
  /** how many the list may have */
  most: number;
}

export default function SetupPolicy({ t, common, policy, allowlist, most }: Props) {
  const [chosen, setChosen] = useState(policy);
  const [list, setList] = useState(allowlist.join("\n"));
  const [problem, setProblem] = useState("");
  const acting = useActing(common);
  const go = async (event: Event) => {
    event.preventDefault();
    const lines = list.split(/[\s,;]+/).filter((line) => line !== "");
    const wrong = lines.find((line) => jamiIdIn(line) === null);
    setProblem(
      wrong !== undefined
        ? fill(t.policy.badId, { id: wrong })
        : lines.length > most
        ? fill(t.policy.tooMany, { n: most })
        : "",
    );
    if (chosen === "allowlist" && (wrong !== undefined || lines.length > most)) return;
    const named = chosen === "allowlist" ? { allowlist: lines } : {};
    const answer = await acting.act("PATCH", "/setup", { done: "policy", acceptRequests: chosen, ...named });
    if (answer.ok) location.assign("/setup");
  };
  return (
    <form class="panel p-5 sm:p-6 grid gap-4" onSubmit={go}>
      <fieldset class="grid gap-4">
        <legend class="sr-only">{t.policy.title}</legend>
        {POLICIES.map((one) => (
          <label key={one} class="flex items-start gap-3 cursor-pointer">
            <input
              type="radio"
              name="policy"
              value={one}
              class="mt-1"
              checked={chosen === one}
              onChange={() => setChosen(one)}
            />
            <span>
              <span class="block font-medium">{t.policy.choices[one].name}</span>
              <span class="block text-sm text-muted">{t.policy.choices[one].hint}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {chosen === "allowlist" && (
        <Area
          label={t.policy.list}
          hint={t.policy.listHint}
          problem={problem}
          rows={4}
          spellcheck={false}
          autocomplete="off"
          value={list}
          onInput={(event) => setList(event.currentTarget.value)}
        />
      )}
      <div>
        <button type="submit" class="button primary" disabled={acting.busy}>{t.next}</button>
        {acting.status}
      </div>
    </form>
  );
}
