/** The parts of forms: each has a label, may have a hint, and says what is wrong where it is wrong. */

import type { ComponentChildren, InputHTMLAttributes, TextareaHTMLAttributes } from "preact";
import { useName } from "./names.ts";

interface Labelled {
  label: ComponentChildren;
  hint?: ComponentChildren;
  /** what is wrong with the value; "" = nothing */
  problem?: string;
}

type InputProps = Omit<InputHTMLAttributes<HTMLInputElement>, "label" | "class" | "id">;

/** A line to fill in. */
export function Field({ label, hint, problem = "", ...input }: Labelled & InputProps) {
  const id = useName();
  const props = { ...input, ...describing(id, hint, problem) } as InputHTMLAttributes<HTMLInputElement>; // reason: preact's types want to know which type of input it is
  return (
    <Row {...{ id, label, hint, problem }}>
      <input {...props} id={id} class="field w-full" />
    </Row>
  );
}

type AreaProps = Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "label" | "class" | "id">;

/** Several lines to fill in. */
export function Area({ label, hint, problem = "", ...area }: Labelled & AreaProps) {
  const id = useName();
  return (
    <Row {...{ id, label, hint, problem }}>
      <textarea rows={4} {...area} {...describing(id, hint, problem)} id={id} class="field w-full" />
    </Row>
  );
}

interface ChoiceProps extends Labelled {
  name?: string;
  value: string;
  options: { value: string; name: string }[];
  disabled?: boolean;
  onChoose?: (value: string) => void;
}

/** One of several. */
export function Choice({ label, hint, problem = "", value, options, onChoose, ...rest }: ChoiceProps) {
  const id = useName();
  return (
    <Row {...{ id, label, hint, problem }}>
      <select
        {...rest}
        {...describing(id, hint, problem)}
        id={id}
        class="field w-full"
        value={value}
        onChange={(event) => onChoose?.(event.currentTarget.value)}
      >
        {options.map((one) => (
          <option key={one.value} value={one.value} selected={one.value === value}>{one.name}</option>
        ))}
      </select>
    </Row>
  );
}

interface SwitchProps {
  label: ComponentChildren;
  hint?: ComponentChildren;
  name?: string;
  checked: boolean;
  disabled?: boolean;
  onSwitch?: (on: boolean) => void;
}

/** On or off, at once. */
export function Switch({ label, hint, checked, onSwitch, ...rest }: SwitchProps) {
  const id = useName();
  return (
    <div class="flex items-start gap-3">
      <input
        {...rest}
        {...describing(id, hint, "")}
        type="checkbox"
        role="switch"
        id={id}
        class="switch"
        checked={checked}
        onChange={(event) => onSwitch?.(event.currentTarget.checked)}
      />
      <div class="min-w-0">
        <label for={id} class="font-medium">{label}</label>
        {hint && <p id={`${id}-hint`} class="text-sm text-muted">{hint}</p>}
      </div>
    </div>
  );
}

function Row({ id, label, hint, problem, children }: Labelled & { id: string; children: ComponentChildren }) {
  return (
    <div class="grid gap-1 content-start">
      <label for={id} class="text-sm font-medium">{label}</label>
      {children}
      {hint && <p id={`${id}-hint`} class="text-sm text-muted">{hint}</p>}
      {problem && <p id={`${id}-problem`} class="text-sm text-bad">{problem}</p>}
    </div>
  );
}

/** Tells assistive technology where hint and problem stand. */
function describing(id: string, hint: ComponentChildren, problem: string) {
  const ids = [hint && `${id}-hint`, problem && `${id}-problem`].filter(Boolean).join(" ");
  return { "aria-describedby": ids || undefined, "aria-invalid": problem ? true : undefined };
}
