/** Tabs: links to the parts of a page. And the frames of the two pages that several areas share. */

import type { ComponentChildren } from "preact";
import { covers } from "../core/admins/roles.ts";
import type { PageContext } from "./_layout.tsx";
import { PROTECTION_TABS, SETTINGS_TABS } from "./_navigation.ts";

interface TabsProps {
  /** what the tabs are parts of */
  label: string;
  items: { href: string; name: string; here: boolean }[];
}

/** A line of links, of which one is the page itself. */
export function Tabs({ label, items }: TabsProps) {
  return (
    <nav aria-label={label} class="tabs border-b border-line overflow-x-auto">
      <ul class="flex gap-1">
        {items.map(({ href, name, here }) => (
          <li key={href}>
            <a
              href={href}
              aria-current={here ? "page" : undefined}
              class={`block px-2 sm:px-3 py-2 border-b-2 whitespace-nowrap ${
                here ? "border-accent text-accent font-semibold" : "border-transparent text-muted hover:text-ink"
              }`}
            >
              {name}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

interface FrameProps {
  page: PageContext;
  children: ComponentChildren;
}

/** What stands around every tab of the settings. */
export function SettingsFrame({ page, children }: FrameProps) {
  const { pages, settingsTabs } = page.t.layout;
  return <Frame page={page} title={pages.settings} tabs={SETTINGS_TABS} names={settingsTabs}>{children}</Frame>;
}

/** What stands around every tab of the protection. */
export function ProtectionFrame({ page, children }: FrameProps) {
  const { pages, protectionTabs } = page.t.layout;
  return <Frame page={page} title={pages.protection} tabs={PROTECTION_TABS} names={protectionTabs}>{children}</Frame>;
}

interface TabFrameProps<Key extends string> extends FrameProps {
  title: string;
  tabs: { href: string; key: Key; role: Parameters<typeof covers>[1] }[];
  names: Record<Key, string>;
}

function Frame<Key extends string>({ page: { path, role }, title, tabs, names, children }: TabFrameProps<Key>) {
  const mine = tabs.filter((tab) => role !== null && covers(role, tab.role));
  // "/settings" stands above "/settings/logs": the longest that fits is where we are
  const here = mine.map(({ href }) => href).filter((href) => path === href || path.startsWith(`${href}/`))
    .toSorted((a, b) => b.length - a.length)[0];
  return (
    <>
      <header class="mb-6">
        <h1 class="text-2xl font-semibold mb-3">{title}</h1>
        <Tabs label={title} items={mine.map(({ href, key }) => ({ href, name: names[key], here: href === here }))} />
      </header>
      {children}
    </>
  );
}
