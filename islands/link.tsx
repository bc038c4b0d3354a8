/** Linking a new device, step by step: its address, the confirmation, what comes of it. */

import { useState } from "preact/hooks";
import type { LinkInfo } from "../core/node_api.ts";
import type { DevicesTexts } from "../routes/texts/devices.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { Field } from "./parts/form.tsx";
import { useEvents } from "./parts/live.ts";
import { useActing } from "./parts/status.tsx";
import { fill } from "./parts/words.ts";

interface Props {
  t: DevicesTexts;
  common: Texts["common"];
  first: LinkInfo;
}

export default function Link({ t, common, first }: Props) {
  const [link, setLink] = useState(first);
  const [uri, setUri] = useState("");
  const { act, busy, status } = useActing(common);
  const refresh = async () => {
    const answer = await ask<LinkInfo>("GET", "/devices/link");
    if (answer.ok) setLink(answer.data);
  };
  useEvents({ link: setLink, reset: refresh });
  const step = async (path: string, body?: unknown) => {
    const answer = await act<LinkInfo>("POST", `/devices/link${path}`, body);
    if (answer.ok) setLink(answer.data);
  };
  const begin = async (event: Event) => {
    event.preventDefault();
    await step("", { uri: uri.trim() });
    setUri("");
  };
  const { stage } = link;
  const isUnderWay = stage !== "idle" && stage !== "done" && stage !== "failed";
  return (
    <div class="panel p-4 sm:p-5">
      <div role="status" aria-live="polite">
        <Told {...{ link, t }} />
      </div>
      {status}
      {isUnderWay
        ? (
          <div class="flex flex-wrap gap-2 mt-4">
            {stage === "confirm" && (
              <button
                type="button"
                class="button primary"
                disabled={busy}
                onClick={() => step("/confirm")}
              >
                {t.confirm}
              </button>
            )}
            <button type="button" class="button" disabled={busy} onClick={() => step("/cancel")}>{t.cancel}</button>
          </div>
        )
        : (
          <form class="flex flex-wrap items-end gap-3" onSubmit={begin}>
            <div class="flex-1 min-w-[220px]">
              <Field
                label={t.address}
                name="uri"
                placeholder="jami-auth://…"
                autocomplete="off"
                spellcheck={false}
                required
                value={uri}
                onInput={(event) => setUri(event.currentTarget.value)}
              />
            </div>
            <button type="submit" class="button primary" disabled={busy}>{t.begin}</button>
          </form>
        )}
    </div>
  );
}

function Told({ link: { stage, address, tries, failure }, t }: Pick<Props, "t"> & { link: LinkInfo }) {
  if (stage === "idle") return null;
  if (stage === "failed") return <p class="text-bad mb-4">{t.failures[failure ?? "internal"]}</p>;
  const text = fill(t.stages[stage], { address, n: tries });
  return <p class={stage === "done" ? "text-good mb-4" : "font-medium"}>{text}</p>;
}
