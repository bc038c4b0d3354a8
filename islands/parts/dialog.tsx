/** Dialogues: the browser's own, which keep the focus inside, close on Escape and give the focus back. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Field } from "./form.tsx";
import { useName } from "./names.ts";
import { Filled } from "./given.tsx";

interface DialogProps {
  open: boolean;
  title: ComponentChildren;
  onClose: () => void;
  children: ComponentChildren;
}

/** A dialogue that stands before the page while `open`. What comes next may be pressed at once: it opens and closes without a frame between. */
export function Dialog({ open, title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useName();
  useLayoutEffect(() => {
    if (open && !dialog.current?.open) dialog.current?.showModal();
    if (!open) dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={open ? id : undefined}
      onCancel={({ target, currentTarget }) => {
        if (target === currentTarget) onClose(); // a chooser of files inside tells of its own end
      }}
      onClose={() => {
        if (!dialog.current?.open) onClose(); // the browser tells late: it may be open again
      }}
    >
      {open && (
        <>
          <h2 id={id} class="text-lg font-semibold mb-2">{title}</h2>
          {children}
        </>
      )}
    </dialog>
  );
}

interface ConfirmProps {
  open: boolean;
  title: ComponentChildren;
  hint: ComponentChildren;
  /** what the button says that does it */
  confirm: string;
  cancel: string;
  danger?: boolean;
  /** what must be typed first; `ask` has a place {word} */
  typed?: { word: string; ask: string };
  /** the label of a reason to give; `required`: there must be one */
  reason?: { label: string; required: boolean; placeholder?: string };
  onClose: () => void;
  onConfirm: (reason: string) => void;
}

/** Least and most characters of a reason, as the API has them. */
const MIN_REASON = 3;
const MAX_REASON = 500;

/** Asks before something is done: for a reason, or to type a word, when it cannot be undone. */
export function Confirm({ open, title, onClose, onConfirm, ...rest }: ConfirmProps) {
  return (
    <Dialog open={open} title={title} onClose={onClose}>
      <Question {...rest} onClose={onClose} onConfirm={onConfirm} />
    </Dialog>
  );
}

function Question(
  { hint, confirm, cancel, danger, typed, reason, onClose, onConfirm }: Omit<ConfirmProps, "open" | "title">,
) {
  const [word, setWord] = useState("");
  const [why, setWhy] = useState("");
  const go = (event: Event) => {
    event.preventDefault();
    if (!typed || word.trim() === typed.word) onConfirm(why.trim());
  };
  return (
    <form onSubmit={go} class="grid gap-4">
      <div class="text-muted">{hint}</div>
      {reason && (
        <Field
          label={reason.label}
          placeholder={reason.placeholder}
          name="reason"
          required={reason.required}
          minLength={reason.required ? MIN_REASON : undefined}
          maxLength={MAX_REASON}
          autocomplete="off"
          value={why}
          onInput={(event) => setWhy(event.currentTarget.value)}
        />
      )}
      {typed && (
        <Field
          label={<Filled text={typed.ask} word={<bdi>{typed.word}</bdi>} />}
          name="word"
          autocomplete="off"
          value={word}
          onInput={(event) => setWord(event.currentTarget.value)}
        />
      )}
      <div class="flex flex-wrap justify-end gap-2">
        <button type="button" class="button" onClick={onClose}>{cancel}</button>
        <button
          type="submit"
          class={danger ? "button danger" : "button primary"}
          disabled={typed !== undefined && word.trim() !== typed.word}
        >
          {confirm}
        </button>
      </div>
    </form>
  );
}
