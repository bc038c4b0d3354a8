/** A secret that is shown this once. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Texts } from "../../routes/texts/en.ts";
import { Copy } from "./ui.tsx";

interface OnceProps {
  title: string;
  hint: ComponentChildren;
  secret: string;
  common: Texts["common"];
}

/** It takes the focus, so that nobody misses it. */
export function Once({ title, hint, secret, common }: OnceProps) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => place.current?.focus(), [secret]);
  return (
    <section
      ref={place}
      tabIndex={-1}
      aria-label={title}
      class="rounded-xl border border-accent bg-accent-soft p-4 my-4"
    >
      <h3 class="font-semibold">{title}</h3>
      <p class="text-sm mt-1">{hint}</p>
      <div class="flex flex-wrap items-center gap-3 mt-3">
        <code class="flex-1 min-w-[200px] break-all">{secret}</code>
        <Copy text={secret} label={common.copy} done={common.copied} />
      </div>
    </section>
  );
}

/** A text with a time in its `{time}`. */
export function Timed({ text, children }: { text: string; children: ComponentChildren }) {
  const [before, after] = text.split("{time}");
  return <span>{before}{children}{after}</span>;
}
