/** The keys of the console: `?` tells them, `/` leads to the search, `g` and a letter to a page. They can be switched off (WCAG 2.1.4). */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { HelpTexts } from "../routes/texts/help.ts";
import { Dialog } from "./parts/dialog.tsx";
import { Switch } from "./parts/form.tsx";
import { fill } from "./parts/words.ts";

/** After `g`, ms that a letter is waited for. */
const PATIENCE = 1_500;
/** Where the browser keeps that keys are off. */
const KEPT = "kituo-keys-off";

interface Props {
  t: HelpTexts;
  /** where `g` and a letter lead */
  places: { key: string; name: string; to: string }[];
}

export default function Help({ t, places }: Props) {
  const [open, setOpen] = useState(false);
  const [on, setOn] = useState(true);
  const pressed = useRef(-Infinity);
  // before the first frame is drawn: nobody need wait with a key until it is
  useLayoutEffect(() => {
    setOn(!areKeysOff());
    const listen = (event: KeyboardEvent) => {
      if (areKeysOff() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
      const place = event.timeStamp - pressed.current < PATIENCE && places.find(({ key }) => key === event.key);
      pressed.current = event.key === "g" ? event.timeStamp : -Infinity;
      const search = event.key === "/" ? document.querySelector<HTMLElement>("[data-search]") : null;
      if (place) location.assign(place.to);
      else if (event.key === "?") setOpen(true);
      else if (search) search.focus();
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
  const choose = (on: boolean) => {
    setOn(on);
    if (on) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, "1");
  };
  return (
    <>
      <button
        type="button"
        class="hidden md:flex items-center gap-3 w-full px-3 py-2 rounded-lg text-sm text-muted hover:text-ink hover:bg-sunken"
        onClick={() => setOpen(true)}
      >
        <kbd>?</kbd>
        {t.open}
      </button>
      <Dialog open={open} title={t.title} onClose={() => setOpen(false)}>
        <dl class="facts items-baseline my-3">
          <Keys keys={["?"]} text={t.help} />
          <Keys keys={["/"]} text={t.search} />
          <Keys keys={["Esc"]} text={t.escape} />
          <Keys keys={["j", "k"]} text={t.rows} />
          <Keys keys={["x", "a", "d", "b"]} text={t.answers} />
        </dl>
        <p class="text-sm text-muted mb-2">{fill(t.go, { first: "g" })}</p>
        <ul class="grid grid-cols-2 gap-x-4 gap-y-1 mb-4 text-sm">
          {places.map(({ key, name }) => (
            <li key={key} class="flex items-center gap-2">
              <kbd>{key}</kbd>
              {name}
            </li>
          ))}
        </ul>
        <Switch label={t.on} hint={t.onHint} checked={on} onSwitch={choose} />
        <div class="flex justify-end mt-4">
          <button type="button" class="button" onClick={() => setOpen(false)}>{t.close}</button>
        </div>
      </Dialog>
    </>
  );
}

function areKeysOff(): boolean {
  return localStorage.getItem(KEPT) !== null;
}

function Keys({ keys, text }: { keys: string[]; text: string }) {
  return (
    <>
      <dt class="flex gap-1">{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
      <dd>{text}</dd>
    </>
  );
}

/** Does what is pressed belong into a text? */
function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) &&
        !(target instanceof HTMLInputElement && /^(checkbox|radio|button|submit)$/.test(target.type)));
}
