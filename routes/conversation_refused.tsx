/** The histories of members that are refused in a conversation. */

import { covers } from "../core/admins/roles.ts";
import RefusedIsland from "../islands/refused.tsx";
import type { SectionContext } from "./conversation.tsx";
import { island } from "./_island.tsx";
import { refusedTexts } from "./texts/refused.ts";

const Refused = island("refused", RefusedIsland);

export function refusedSection({ page: { lang, t }, conversation, names, caller, refused }: SectionContext) {
  return (
    <Refused
      lang={lang}
      t={refusedTexts[lang]}
      common={t.common}
      id={conversation.id}
      names={names}
      first={refused}
      owner={covers(caller.role, "owner")}
    />
  );
}
