/** The settings of one conversation. */

import type { MemberInfo } from "../core/node_api.ts";
import { plain } from "../islands/parts/given.tsx";
import GroupSettingsIsland from "../islands/group_settings.tsx";
import { MAX_DESCRIPTION, MAX_TITLE } from "./constants.ts";
import type { SectionContext } from "./conversation.tsx";
import { island } from "./_island.tsx";
import { groupTexts } from "./texts/groups.ts";

const GroupSettings = island("group_settings", GroupSettingsIsland);

/** Digits of a device id that tell it from the others of a member. */
const SHORT_DEVICE = 8;

export function settingsSection({ api, page: { lang, t }, conversation }: SectionContext) {
  const texts = groupTexts[lang];
  const { id, mode, state, title, description, avatar, defaultHost, members } = conversation;
  const self = api.info().jamiId;
  const admin = state === "active" && members.some(({ jamiId, role }) => jamiId === self && role === "admin");
  return (
    <GroupSettings
      lang={lang}
      t={texts}
      common={t.common}
      id={id}
      profile={mode === 0 ? null : { title, description, avatar, defaultHost }}
      hosts={hostsOf(members, (member) => member.jamiId === self ? texts.thisNode : nameOf(member))}
      admin={admin}
      files={api.groupFiles.rules(id)}
      open={state !== "left"}
      maxTitle={MAX_TITLE}
      maxDescription={MAX_DESCRIPTION}
    />
  );
}

/** All devices of members. */
function hostsOf(members: MemberInfo[], nameOf: (member: MemberInfo) => string) {
  return members.filter(({ role }) => role === "admin" || role === "member").flatMap((member) =>
    member.devices.map(({ deviceId }) => ({
      host: { jamiId: member.jamiId, deviceId },
      name: `${nameOf(member)} · ${deviceId.slice(0, SHORT_DEVICE)}`,
    }))
  );
}

function nameOf({ name, registeredName, jamiId }: MemberInfo): string {
  return plain(name) || registeredName || jamiId.slice(0, SHORT_DEVICE);
}
