/** The devices of the own account, as they come and go; revoking one. */

import { useState } from "preact/hooks";
import type { OwnDeviceInfo, OwnDevicesInfo } from "../core/node_api.ts";
import type { DevicesTexts } from "../routes/texts/devices.ts";
import type { Texts } from "../routes/texts/en.ts";
import { ask } from "./parts/api.ts";
import { ArchivePassword } from "./parts/archive_password.tsx";
import { Dialog } from "./parts/dialog.tsx";
import { Field } from "./parts/form.tsx";
import { useEvents } from "./parts/live.ts";
import { Timed } from "./parts/once.tsx";
import { useActing } from "./parts/status.tsx";
import { Badge, Dot, When } from "./parts/ui.tsx";
import { fill } from "./parts/words.ts";

interface Props {
  lang: string;
  t: DevicesTexts;
  common: Texts["common"];
  first: OwnDevicesInfo;
}

export default function Devices({ lang, t, common, first }: Props) {
  const [{ devices, hasPassword }, setInfo] = useState(first);
  const [revoking, setRevoking] = useState<OwnDeviceInfo | null>(null);
  const { act, busy, status } = useActing(common);
  const refresh = async () => {
    const answer = await ask<OwnDevicesInfo>("GET", "/devices");
    if (answer.ok) setInfo(answer.data);
  };
  useEvents({ device: refresh, reset: refresh });
  const revoke = async ({ deviceId, name, thisOne }: OwnDeviceInfo, password: string) => {
    setRevoking(null);
    await act("DELETE", `/devices/${deviceId}`, { password }, fill(t.isRevoked, { name }));
    if (thisOne) location.reload();
    else await refresh();
  };
  return (
    <>
      {status}
      <ul class="panel divide-y divide-line">
        {devices.map((device) => (
          <li key={device.deviceId} class="px-4 sm:px-5 py-4 flex flex-wrap items-center gap-x-4 gap-y-2">
            <Dot on={device.online} label={device.online ? t.online : t.offline} />
            <div class="flex-1 min-w-[200px]">
              <p class="font-semibold break-words">
                <bdi>{device.name}</bdi> {device.thisOne && <Badge tone="accent">{t.thisOne}</Badge>}{" "}
                {device.revoked && <Badge tone="bad">{t.revoked}</Badge>}
              </p>
              <p class="text-sm text-muted">
                <code title={device.deviceId}>{device.deviceId.slice(0, 16)}</code> · <Seen {...{ device, lang, t }} />
              </p>
            </div>
            {!device.revoked && (
              <button
                type="button"
                class="button small danger"
                disabled={busy}
                onClick={() => setRevoking(device)}
              >
                {t.revoke}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Dialog
        open={revoking !== null}
        title={fill(t.revokeTitle, { name: revoking?.name ?? "" })}
        onClose={() => setRevoking(null)}
      >
        {revoking && (
          <Revoke
            {...{ t, common, hasPassword, device: revoking }}
            onClose={() => setRevoking(null)}
            onRevoke={(password) => revoke(revoking, password)}
          />
        )}
      </Dialog>
    </>
  );
}

function Seen({ device: { online, lastSeen }, lang, t }: Pick<Props, "lang" | "t"> & { device: OwnDeviceInfo }) {
  if (online) return <>{t.online}</>;
  if (lastSeen === null) return <>{t.neverSeen}</>;
  return (
    <Timed text={t.seen}>
      <When at={lastSeen} lang={lang} key={lastSeen} />
    </Timed>
  );
}

interface RevokeProps extends Pick<Props, "t" | "common"> {
  device: OwnDeviceInfo;
  hasPassword: boolean;
  onClose: () => void;
  onRevoke: (password: string) => void;
}

function Revoke({ t, common, device, hasPassword, onClose, onRevoke }: RevokeProps) {
  const [word, setWord] = useState("");
  const [password, setPassword] = useState("");
  const expected = device.deviceId.slice(0, 8);
  return (
    <form
      class="grid gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (word.trim() === expected) onRevoke(password);
      }}
    >
      <p class="text-muted">{device.thisOne ? t.revokeThisHint : t.revokeHint}</p>
      {hasPassword && <ArchivePassword t={t} value={password} onChange={setPassword} />}
      <Field
        label={fill(t.revokeType, { word: expected })}
        name="word"
        autocomplete="off"
        value={word}
        onInput={(event) => setWord(event.currentTarget.value)}
      />
      <div class="flex flex-wrap justify-end gap-2">
        <button type="button" class="button" onClick={onClose}>{common.cancel}</button>
        <button type="submit" class="button danger" disabled={word.trim() !== expected}>{t.revoke}</button>
      </div>
    </form>
  );
}
