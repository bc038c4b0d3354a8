/**
 * All pages of the console, by a name that files can have. Each line here gets screenshots (light, dark, desktop, phone),
 * a look by axe in both colours, and a check that it fits on a phone.
 */

import type { Demo } from "../support/demo.ts";

/** Where a page is, over the demo data. */
export type PathOf = (demo: Demo) => string;

export const PAGES: Record<string, PathOf> = {
  overview: () => "/",
  conversations: () => "/conversations",
  newGroup: () => "/conversations/new",
  timeline: ({ group }) => `/conversations/${group}`,
  members: ({ group }) => `/conversations/${group}/members`,
  files: ({ group }) => `/conversations/${group}/files`,
  history: ({ group }) => `/conversations/${group}/history`,
  settings: ({ group }) => `/conversations/${group}/settings`,
  refused: ({ group }) => `/conversations/${group}/refused`,
  manage: ({ group }) => `/conversations/${group}/manage`,
  add: () => "/add",
  requests: () => "/requests",
  protection: () => "/protection",
  held: () => "/protection/held",
  reports: () => "/protection/reports",
  bans: () => "/protection/bans",
  banLists: () => "/protection/lists",
  network: () => "/network",
  account: () => "/account",
  devices: () => "/settings/devices",
  admins: () => "/settings/admins",
  audit: () => "/audit",
  backup: () => "/settings/backup",
  logs: () => "/settings/logs",
  about: () => "/settings/about",
  api: () => "/api",
  nodeSettings: () => "/settings",
  nothing: () => "/nothing",
};
