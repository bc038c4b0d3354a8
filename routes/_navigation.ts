/**
 * Where one can go in the console. An area adds one line here when its pages are there, and nothing else: the column on
 * desktops, the bar and the sheet on phones, and the tabs are drawn from these lists.
 */

import { covers, type Role } from "../core/admins/roles.ts";
import { MAX_LIST_LIMIT, type NodeApi } from "../core/node_api.ts";
import type { IconName } from "./_icons.tsx";
import type { Texts } from "./texts/index.ts";

/** A tab of a page that has several. */
export interface Tab<Key extends string = string> {
  href: string;
  key: Key;
  /** the least that may see it */
  role: Role;
}

/** The tabs of `/settings`, in their order. */
export const SETTINGS_TABS: Tab<keyof Texts["layout"]["settingsTabs"]>[] = [
  { href: "/settings", key: "node", role: "owner" },
  { href: "/settings/devices", key: "devices", role: "owner" },
  { href: "/settings/admins", key: "admins", role: "owner" },
  { href: "/settings/backup", key: "backup", role: "owner" },
  { href: "/settings/logs", key: "logs", role: "owner" },
  { href: "/settings/about", key: "about", role: "viewer" },
];

/** The tabs of `/protection`, in their order. */
export const PROTECTION_TABS: Tab<keyof Texts["layout"]["protectionTabs"]>[] = [
  { href: "/protection", key: "protections", role: "moderator" },
  { href: "/protection/held", key: "held", role: "moderator" },
  { href: "/protection/reports", key: "reports", role: "moderator" },
  { href: "/protection/bans", key: "bans", role: "moderator" },
  { href: "/protection/lists", key: "lists", role: "moderator" },
];

/** A page of the navigation. */
export interface Entry {
  /** also stands for all pages below it */
  href: string;
  key: keyof Texts["layout"]["pages"];
  icon: IconName;
  /** the least that may see it */
  role: Role;
  /** "main": what an admin comes for, also in the bar of phones; "node": the rest, on phones behind "More" */
  group: "main" | "node";
  /** leads to the first of these that its reader may see; without any it is not shown */
  tabs?: readonly Tab[];
  /** how many things wait there */
  waiting?: (api: NodeApi) => number;
}

const NAVIGATION: Entry[] = [
  { href: "/", key: "overview", icon: "overview", role: "viewer", group: "main" },
  { href: "/conversations", key: "conversations", icon: "conversations", role: "moderator", group: "main" },
  { href: "/requests", key: "requests", icon: "requests", role: "moderator", group: "main", waiting: requestsOf },
  {
    href: "/protection",
    key: "protection",
    icon: "protection",
    role: "moderator",
    group: "main",
    tabs: PROTECTION_TABS,
    waiting: moderationOf,
  },
  { href: "/network", key: "network", icon: "network", role: "viewer", group: "node" },
  { href: "/audit", key: "audit", icon: "audit", role: "owner", group: "node" },
  { href: "/settings", key: "settings", icon: "settings", role: "viewer", group: "node", tabs: SETTINGS_TABS },
  { href: "/api", key: "api", icon: "api", role: "viewer", group: "node" },
];

/** The letters that lead there after `g`. */
const LETTERS: Record<Entry["key"], string> = {
  overview: "o",
  conversations: "c",
  requests: "r",
  protection: "p",
  network: "n",
  audit: "l",
  settings: "s",
  api: "a",
};

function requestsOf(api: NodeApi): number {
  return api.requests({ limit: MAX_LIST_LIMIT }).items.length;
}

function moderationOf({ moderation }: NodeApi): number {
  const { reports, held } = moderation.waiting();
  return reports + held;
}

/** A page that a reader may go to. */
export interface Place extends Omit<Entry, "tabs" | "waiting" | "role"> {
  /** where the link leads */
  to: string;
  /** is the reader there? */
  here: boolean;
  waiting: number;
  /** leads there after `g` */
  letter: string;
}

/** Where somebody with this role can go. @param path where they are */
export function placesFor(role: Role | null, path: string, api: NodeApi): Place[] {
  if (role === null) return [];
  return NAVIGATION.filter((entry) => covers(role, entry.role)).flatMap(({ tabs, waiting, role: _role, ...entry }) => {
    const first = tabs?.find((tab) => covers(role, tab.role));
    if (tabs && !first) return [];
    const here = entry.href === "/" ? path === "/" : path === entry.href || path.startsWith(`${entry.href}/`);
    return [{
      ...entry,
      to: first?.href ?? entry.href,
      here,
      waiting: waiting?.(api) ?? 0,
      letter: LETTERS[entry.key],
    }];
  });
}
