/** The step of the set-up that names the node. */

import { useState } from "preact/hooks";
import type { SetupTexts } from "../routes/texts/setup.ts";
import type { Texts } from "../routes/texts/en.ts";
import { Field } from "./parts/form.tsx";
import { Picture } from "./parts/picture.tsx";
import { useActing } from "./parts/status.tsx";

interface Props {
  t: SetupTexts;
  common: Texts["common"];
  name: string;
}

export default function SetupNode({ t, common, name }: Props) {
  const [now, setNow] = useState(name);
  const [picture, setPicture] = useState("");
  const acting = useActing(common);
  const go = async (event: Event) => {
    event.preventDefault();
    const answer = await acting.act("PATCH", "/setup", { done: "node", name: now.trim(), ...picture && { picture } });
    if (answer.ok) location.assign("/setup");
  };
  return (
    <form class="panel p-5 sm:p-6 grid gap-5" onSubmit={go}>
      <Field
        label={t.node.name}
        name="node"
        required
        maxLength={64}
        pattern=".*\S.*"
        autocomplete="off"
        value={now}
        onInput={(event) => setNow(event.currentTarget.value)}
      />
      <Picture t={t.node} value={picture} onChange={setPicture} />
      <div>
        <button type="submit" class="button primary" disabled={acting.busy}>{t.next}</button>
        {acting.status}
      </div>
    </form>
  );
}
