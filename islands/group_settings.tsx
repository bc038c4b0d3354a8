/** The settings of one conversation: what it is called, who hosts its calls, and how its files are kept. */

import { useState } from "preact/hooks";
import type { CallHost, ConversationDetail, GroupFilesInfo } from "../core/node_api.ts";
import type { GroupTexts } from "../routes/texts/groups.ts";
import type { Texts } from "../routes/texts/en.ts";
import { FileRules } from "./parts/file_rules.tsx";
import { Area, Choice, Field } from "./parts/form.tsx";
import { Picture } from "./parts/picture.tsx";
import { useActing } from "./parts/status.tsx";
import { bytes, fill } from "./parts/words.ts";

type Profile = Pick<ConversationDetail, "title" | "description" | "avatar" | "defaultHost">;

interface Props {
  lang: string;
  t: GroupTexts;
  common: Texts["common"];
  id: string;
  /** null = a one-to-one conversation has none */
  profile: Profile | null;
  /** who could host calls, with what they are called */
  hosts: { host: CallHost; name: string }[];
  /** may the profile be changed? */
  admin: boolean;
  files: GroupFilesInfo;
  /** is anything kept at all? */
  open: boolean;
  maxTitle: number;
  maxDescription: number;
}

export default function GroupSettings({ profile, files, t, lang, common, id, open, ...rest }: Props) {
  const acting = useActing(common);
  const [rules, setRules] = useState({ quota: files.quota, retentionDays: files.retentionDays });
  const [used, setUsed] = useState(files.used);
  const save = async (event: Event) => {
    event.preventDefault();
    const path = `/conversations/${id}/file-rules`;
    const answer = await acting.act<GroupFilesInfo>("PATCH", path, rules, t.saved);
    if (answer.ok) setUsed(answer.data.used);
  };
  return (
    <div class="grid gap-4 max-w-3xl">
      {profile && <ProfileForm {...{ profile, t, common, id, ...rest }} />}
      <form class="panel p-5 sm:p-6" onSubmit={save}>
        <h2 class="text-base font-semibold">{t.files}</h2>
        <p class="text-sm text-muted mb-3">
          {open ? fill(t.filesHint, { used: bytes(lang, used) }) : t.filesLeft}
        </p>
        <FileRules lang={lang} t={t} node={files} value={rules} disabled={!open} onChange={setRules} />
        <p class="mt-4">
          <button type="submit" class="button primary" disabled={!open || acting.busy}>{t.save}</button>
        </p>
        {acting.status}
      </form>
    </div>
  );
}

type ProfileProps = Pick<Props, "t" | "common" | "id" | "hosts" | "admin" | "maxTitle" | "maxDescription"> & {
  profile: Profile;
};

function ProfileForm({ profile, t, common, id, hosts, admin, maxTitle, maxDescription }: ProfileProps) {
  const acting = useActing(common);
  const [now, setNow] = useState(profile);
  const change = (part: Partial<Profile>) => setNow({ ...now, ...part });
  const save = async (event: Event) => {
    event.preventDefault();
    const { title, description, avatar, defaultHost } = now;
    const changes = {
      title: title.trim(),
      description: description.trim().replace(/\s*\n\s*/g, " "),
      avatar,
      defaultHost,
    };
    // what stayed as it was is not sent: others may have changed it meanwhile
    const news = Object.entries(changes).filter(([key, value]) => !same(value, profile[key as keyof Profile])); // reason: the keys of the object above
    const answer = await acting.act<ConversationDetail>(
      "PATCH",
      `/conversations/${id}`,
      Object.fromEntries(news),
      t.saved,
    );
    if (answer.ok) location.reload(); // the heading says it too
  };
  return (
    <form class="panel p-5 sm:p-6" onSubmit={save}>
      <h2 class="text-base font-semibold">{t.profile}</h2>
      <p class="text-sm text-muted mb-4">{admin ? t.profileHint : t.notAdmin}</p>
      <div class="grid gap-5">
        <Field
          label={t.title}
          name="title"
          required
          pattern=".*\S.*"
          maxLength={maxTitle}
          autocomplete="off"
          disabled={!admin}
          value={now.title}
          onInput={(event) => change({ title: event.currentTarget.value })}
        />
        <Area
          label={t.description}
          name="description"
          rows={2}
          maxLength={maxDescription}
          disabled={!admin}
          value={now.description}
          onInput={(event) => change({ description: event.currentTarget.value })}
        />
        <Picture t={t} value={now.avatar} disabled={!admin} onChange={(avatar) => change({ avatar })} />
        <Choice
          label={t.host}
          hint={t.hostHint}
          value={now.defaultHost?.deviceId ?? ""}
          options={[
            { value: "", name: t.nobody },
            ...hosts.map(({ host, name }) => ({ value: host.deviceId, name })),
          ]}
          disabled={!admin}
          onChoose={(device) =>
            change({ defaultHost: hosts.find(({ host }) => host.deviceId === device)?.host ?? null })}
        />
      </div>
      <p class="mt-4">
        <button type="submit" class="button primary" disabled={!admin || acting.busy}>{t.save}</button>
      </p>
      {acting.status}
    </form>
  );
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
