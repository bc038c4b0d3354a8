/** The end of the set-up. */

import type { SetupTexts } from "../routes/texts/setup.ts";
import type { Texts } from "../routes/texts/en.ts";
import { useActing } from "./parts/status.tsx";

interface Props {
  t: SetupTexts;
  common: Texts["common"];
}

export default function SetupReady({ t, common }: Props) {
  const acting = useActing(common);
  const go = async () => {
    const answer = await acting.act("PATCH", "/setup", { done: "add" });
    if (answer.ok) location.assign("/");
  };
  return (
    <div class="mt-5">
      <button type="button" class="button primary" disabled={acting.busy} onClick={go}>{t.add.finish}</button>
      {acting.status}
    </div>
  );
}
