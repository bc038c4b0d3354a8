/** Banning: the dialog that asks for reason and end, and the line that tells of a ban. */

import type { BanInfo, BanWish } from "../../core/node_api.ts";
import type { ModerationTexts } from "../../routes/texts/moderation.ts";
import { useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";
import { Choice, Field, Switch } from "./form.tsx";
import { When } from "./ui.tsx";
import { Filled } from "./given.tsx";

/** What was chosen in the dialog. */
export interface Wish extends BanWish {
  inGroups: boolean;
}

interface BanDialogProps {
  /** who; null = the dialog is closed */
  name: string | null;
  t: ModerationTexts;
  cancel: string;
  /** what is told before it is done */
  hint?: string;
  /** ask whether to ban from groups as well */
  groups?: boolean;
  onClose: () => void;
  onBan: (wish: Wish) => void;
}

/** Asks for the reason and the end of a ban. */
export function BanDialog({ name, t, onClose, ...rest }: BanDialogProps) {
  return (
    <Dialog open={name !== null} title={<Filled text={t.ban.title} name={<bdi>{name}</bdi>} />} onClose={onClose}>
      <BanForm {...rest} t={t} onClose={onClose} />
    </Dialog>
  );
}

function BanForm({ t, cancel, hint, groups = false, onClose, onBan }: Omit<BanDialogProps, "name">) {
  const [reason, setReason] = useState("");
  const [duration, setDuration] = useState("");
  const [inGroups, setInGroups] = useState(false);
  const go = (event: Event) => {
    event.preventDefault();
    onBan({ reason: reason.trim(), inGroups, ...duration !== "" && { expiresIn: Number(duration) } });
  };
  return (
    <form onSubmit={go} class="grid gap-4">
      {hint && <p class="text-muted">{hint}</p>}
      <Field
        label={t.ban.reason}
        hint={t.ban.reasonHint}
        name="reason"
        maxLength={500}
        autocomplete="off"
        value={reason}
        onInput={(event) => setReason(event.currentTarget.value)}
      />
      <Choice
        label={t.ban.duration}
        value={duration}
        options={durations(t)}
        onChoose={setDuration}
      />
      {groups && <Switch label={t.bans.inGroups} checked={inGroups} onSwitch={setInGroups} />}
      <div class="flex flex-wrap justify-end gap-2">
        <button type="button" class="button" onClick={onClose}>{cancel}</button>
        <button type="submit" class="button danger">{t.ban.confirm}</button>
      </div>
    </form>
  );
}

/** How long a ban can last, in the order of length; for good first. */
function durations(t: ModerationTexts) {
  // numbers as keys come sorted, and before ""
  return Object.entries(t.ban.durations).map(([value, name]) => ({ value, name }))
    .toSorted((a, b) => Number(a.value) - Number(b.value));
}

/** Why, by whom, until when. */
export function BanLine({ ban, lang, t }: { ban: Omit<BanInfo, "held">; lang: string; t: ModerationTexts }) {
  const by = ban.by === "system" ? t.ban.system : ban.by;
  const [before, after] = t.ban.until.split("{time}");
  return (
    <p class="text-sm text-muted break-words">
      <bdi class="text-ink">{ban.reason || (by ? t.ban.noneGiven : t.ban.noReason)}</bdi>
      {" · "}
      {by && <Filled text={`${t.ban.by} · `} name={<bdi>{by}</bdi>} />}
      <When at={ban.at} lang={lang} key={ban.at} /> · {ban.expires === null ? t.ban.forGood : (
        <>
          {before}
          <When at={ban.expires} lang={lang} key={ban.expires} />
          {after}
        </>
      )}
    </p>
  );
}
