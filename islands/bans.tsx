/** Who is banned from the node, and in groups. */

import { useState } from "preact/hooks";
import type { GroupBanInfo, NodeBanInfo } from "../core/node_api.ts";
import type { ModerationTexts } from "../routes/texts/moderation.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { BanDialog, BanLine, type Wish } from "./parts/ban.tsx";
import { Empty } from "./parts/empty.tsx";
import { Field } from "./parts/form.tsx";
import { useEvents } from "./parts/live.ts";
import { useActing } from "./parts/status.tsx";
import { Badge, Who } from "./parts/ui.tsx";
import { fill, plural } from "./parts/words.ts";
import { Filled } from "./parts/given.tsx";

interface Props {
  lang: string;
  t: ModerationTexts;
  common: Texts["common"];
  first: { bans: NodeBanInfo[]; groupBans: GroupBanInfo[] };
}

/** A Jami ID, as people copy it, or a device ID. */
const TARGET = /^(?:jami:)?([0-9a-f]{40}|[0-9a-f]{64})$/i;

export default function Bans({ lang, t, common, first }: Props) {
  const [{ bans, groupBans }, setBans] = useState(first);
  const [target, setTarget] = useState("");
  const [problem, setProblem] = useState("");
  const [asking, setAsking] = useState<string | null>(null);
  const { act, busy, status, say } = useActing(common);
  const refresh = async () => {
    const answer = await ask<Props["first"]>("GET", "/bans");
    if (answer.ok) setBans(answer.data);
  };
  useEvents({ moderation: refresh, reset: refresh });
  const begin = (event: Event) => {
    event.preventDefault();
    const id = TARGET.exec(target.trim())?.[1].toLowerCase() ?? null;
    setProblem(id ? "" : t.bans.invalid);
    setAsking(id);
  };
  const ban = async (wish: Wish) => {
    const id = asking ?? "";
    setAsking(null);
    const answer = await act<{ groups: string[] }>(
      "POST",
      "/bans",
      { ...wish, ...id.length === 40 ? { jamiId: id } : { deviceId: id } },
    );
    if (!answer.ok) return;
    const { groups } = answer.data;
    say(groups.length > 0 ? plural(lang, groups.length, t.bans.madeInGroups) : t.bans.made);
    setTarget("");
    await refresh();
  };
  const end = async (method: string, path: string) => {
    await act(method, path, undefined, t.bans.ended);
    await refresh();
  };
  return (
    <>
      <form onSubmit={begin} class="flex flex-wrap items-start gap-3 mb-4 max-w-3xl">
        <div class="flex-1 min-w-[240px]">
          <Field
            label={t.bans.target}
            hint={t.bans.targetHint}
            problem={problem}
            name="target"
            required
            autocomplete="off"
            spellcheck={false}
            value={target}
            onInput={(event) => setTarget(event.currentTarget.value)}
          />
        </div>
        <button type="submit" class="button danger sm:mt-6" disabled={busy}>{t.bans.add}</button>
      </form>
      {status}
      {bans.length === 0 ? <Empty title={t.bans.none} hint={t.bans.noneHint} /> : (
        <>
          <ul class="panel divide-y divide-line">
            {bans.map((one) => (
              <li key={one.target} class="px-4 sm:px-5 py-4 flex flex-wrap items-center gap-x-4 gap-y-2">
                <div class="flex-1 min-w-[220px]">
                  <Banned one={one} t={t} />
                  <BanLine ban={one} lang={lang} t={t} />
                  {one.lists.length > 0 && (
                    <p class="text-sm text-muted">{fill(t.bans.alsoBy, { lists: one.lists.join(", ") })}</p>
                  )}
                </div>
                <button
                  type="button"
                  class="button small"
                  disabled={busy}
                  onClick={() =>
                    end("DELETE", `/bans/${one.target}`)}
                >
                  {t.bans.end}
                </button>
              </li>
            ))}
          </ul>
          <p class="mt-3">
            <a class="link" href="/api/v1/bans/export" download="bans.json">{t.bans.export}</a>
          </p>
        </>
      )}
      <section aria-labelledby="in-groups" class="mt-10">
        <h2 id="in-groups" class="text-lg font-semibold mb-3">{t.bans.inGroupsTitle}</h2>
        {groupBans.length === 0
          ? <p class="text-muted">{t.bans.inGroupsNone}</p>
          : (
            <ul class="panel divide-y divide-line">
              {groupBans.map((one) => (
                <li
                  key={`${one.conversationId}/${one.target}`}
                  class="px-4 sm:px-5 py-4 flex flex-wrap items-center gap-x-4 gap-y-2"
                >
                  <div class="flex-1 min-w-[220px]">
                    <Banned one={one} t={t} />
                    <BanLine ban={one} lang={lang} t={t} />
                    <p class="text-sm">
                      <a class="link" href={`/conversations/${one.conversationId}/members`}>
                        <Filled text={t.inGroup} title={<bdi>{one.title || t.untitled}</bdi>} />
                      </a>
                    </p>
                  </div>
                  <button
                    type="button"
                    class="button small"
                    disabled={busy}
                    onClick={() =>
                      end(
                        "POST",
                        `/conversations/${one.conversationId}/${
                          one.kind === "device" ? "devices" : "members"
                        }/${one.target}/unban`,
                      )}
                  >
                    {t.bans.end}
                  </button>
                </li>
              ))}
            </ul>
          )}
      </section>
      <BanDialog
        name={asking?.slice(0, 8) ?? null}
        t={t}
        cancel={common.cancel}
        hint={t.bans.intro}
        groups
        onClose={() => setAsking(null)}
        onBan={ban}
      />
    </>
  );
}

function Banned({ one, t }: { one: NodeBanInfo | GroupBanInfo; t: ModerationTexts }) {
  return (
    <p class="flex flex-wrap items-center gap-2">
      <Who id={one.target} name={one.name} />
      {one.kind === "device" && <Badge>{t.bans.device}</Badge>}
      {"held" in one && one.held && <Badge tone="warn">{t.ban.held}</Badge>}
    </p>
  );
}
