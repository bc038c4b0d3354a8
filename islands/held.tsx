/** People and files that wait for a decision. */

import { useState } from "preact/hooks";
import type { HeldInfo } from "../core/node_api.ts";
import type { ModerationTexts } from "../routes/texts/moderation.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { BanDialog } from "./parts/ban.tsx";
import { Confirm } from "./parts/dialog.tsx";
import { Empty } from "./parts/empty.tsx";
import { useEvents } from "./parts/live.ts";
import { useActing } from "./parts/status.tsx";
import { Badge, When, Who } from "./parts/ui.tsx";
import { Filled } from "./parts/given.tsx";

interface Props {
  lang: string;
  t: ModerationTexts;
  common: Texts["common"];
  first: HeldInfo[];
}

export default function Held({ lang, t, common, first }: Props) {
  const [held, setHeld] = useState(first);
  const [deciding, setDeciding] = useState<HeldInfo | null>(null);
  const { act, busy, status } = useActing(common);
  const refresh = async () => {
    const answer = await ask<{ held: HeldInfo[] }>("GET", "/held");
    if (answer.ok) setHeld(answer.data.held);
  };
  useEvents({ moderation: refresh, reset: refresh });
  const path = ({ conversationId, target }: HeldInfo) => `/held/${conversationId}/${target}`;
  const release = async (one: HeldInfo) => {
    await act("POST", `${path(one)}/release`, undefined, t.held.released);
    await refresh();
  };
  const confirm = async (one: HeldInfo, wish: object) => {
    setDeciding(null);
    await act("POST", `${path(one)}/confirm`, wish, t.held.confirmed);
    await refresh();
  };
  const close = () => setDeciding(null);
  const isFile = deciding?.kind === "file";
  return (
    <>
      {status}
      {held.length === 0
        ? <Empty title={t.held.none} hint={t.held.noneHint} />
        : (
          <ul class="panel divide-y divide-line">
            {held.map((one) => (
              <li key={path(one)} class="px-4 sm:px-5 py-4 flex flex-wrap items-center gap-x-4 gap-y-2">
                <div class="flex-1 min-w-[220px]">
                  <p class="flex flex-wrap items-center gap-2">
                    <Who id={one.jamiId || one.target} name={one.name} />
                    <Badge tone="warn">{t.held.kinds[one.kind]}</Badge>
                  </p>
                  <p class="text-sm text-muted break-words">
                    <bdi>{one.reason}</bdi>{" "}
                    <a
                      class="link"
                      href={`/conversations/${one.conversationId}/${one.kind === "file" ? "files" : "members"}`}
                    >
                      <Filled text={t.inGroup} title={<bdi>{one.title || t.untitled}</bdi>} />
                    </a>{" "}
                    · <When at={one.at} lang={lang} />
                  </p>
                </div>
                <div class="flex gap-2">
                  <button
                    type="button"
                    class="button small primary"
                    disabled={busy}
                    onClick={() => release(one)}
                  >
                    {t.held.release}
                  </button>
                  <button
                    type="button"
                    class="button small danger"
                    disabled={busy}
                    onClick={() =>
                      setDeciding(one)}
                  >
                    {one.kind === "file" ? t.held.discard : t.held.ban}
                  </button>
                </div>
              </li>
            ))}
          </ul>
        )}
      <BanDialog
        name={deciding && !isFile ? deciding.name || deciding.target.slice(0, 8) : null}
        t={t}
        cancel={common.cancel}
        onClose={close}
        onBan={({ inGroups: _, ...wish }) => deciding && confirm(deciding, wish)}
      />
      <Confirm
        open={isFile}
        title={t.held.discardTitle}
        hint={t.held.discardHint}
        confirm={t.held.discard}
        cancel={common.cancel}
        danger
        onClose={close}
        onConfirm={() => deciding && confirm(deciding, {})}
      />
    </>
  );
}
