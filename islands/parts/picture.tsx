/** A picture that is chosen, shown, and taken away again. */

import { useRef, useState } from "preact/hooks";
import { useName } from "./names.ts";
import { shrink } from "./shrink.ts";

/** What the parts say. */
export interface PictureTexts {
  picture: string;
  pictureHint: string;
  choosePicture: string;
  changePicture: string;
  removePicture: string;
  badPicture: string;
}

interface Props {
  t: PictureTexts;
  /** in base64; "" = none */
  value: string;
  disabled?: boolean;
  onChange: (value: string) => void;
}

export function Picture({ t, value, disabled = false, onChange }: Props) {
  const id = useName();
  const file = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState("");
  const take = async () => {
    const chosen = file.current?.files?.[0];
    if (!chosen) return;
    const small = await shrink(chosen);
    if (file.current) file.current.value = ""; // so that the same file can be chosen again
    setProblem(small === null ? t.badPicture : "");
    if (small !== null) onChange(small);
  };
  return (
    <div class="grid gap-1">
      <p class="text-sm font-medium" id={id}>{t.picture}</p>
      <div class="flex items-center gap-4">
        {value
          ? <img class="w-16 h-16 rounded-full object-cover border border-line" src={pictureUrl(value)} alt="" />
          : <span class="w-16 h-16 rounded-full bg-sunken border border-line" aria-hidden="true" />}
        <div class="flex flex-wrap gap-2">
          <input
            ref={file}
            type="file"
            accept="image/png,image/jpeg"
            hidden
            disabled={disabled}
            onChange={take}
          />
          <button type="button" class="button small" disabled={disabled} onClick={() => file.current?.click()}>
            {value ? t.changePicture : t.choosePicture}
          </button>
          {value && (
            <button type="button" class="button small" disabled={disabled} onClick={() => onChange("")}>
              {t.removePicture}
            </button>
          )}
        </div>
      </div>
      <p class="text-sm text-muted">{t.pictureHint}</p>
      <p class="text-sm text-bad" role="alert">{problem}</p>
    </div>
  );
}

/** A picture in base64 as an image may show it. */
export function pictureUrl(base64: string): string {
  return `data:image/${base64.startsWith("/9j/") ? "jpeg" : "png"};base64,${base64}`;
}
