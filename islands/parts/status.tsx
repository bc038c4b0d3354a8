/** What came of what was asked for, in one line that assistive technology reads out. */

import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Texts } from "../../routes/texts/en.ts";
import { type Answer, ask } from "./api.ts";
import { fill } from "./words.ts";

interface Said {
  text: string;
  bad: boolean;
}

/** Asks the API, and says how it went. */
export interface Acting {
  /** the line: put it near to what acts */
  status: JSX.Element;
  /** something is on its way */
  busy: boolean;
  /** Says something; "" = nothing any more. */
  say: (text: string, bad?: boolean) => void;
  /** Asks under /api/v1. @param done what to say when it worked */
  act: <Data = unknown>(method: string, path: string, body?: unknown, done?: string) => Promise<Answer<Data>>;
}

/** A line of state, and a way to act that fills it. */
export function useActing(common: Texts["common"]): Acting {
  const [said, setSaid] = useState<Said>({ text: "", bad: false });
  const [busy, setBusy] = useState(false);
  const say = (text: string, bad = false) => setSaid({ text, bad });
  const act = async <Data,>(method: string, path: string, body?: unknown, done = "") => {
    setBusy(true);
    say(""); // the same words twice would not be read out again
    const answer = await ask<Data>(method, path, body);
    setBusy(false);
    if (answer.ok) say(done);
    else say(fill(common.failed, { reason: answer.reason || common.unreachable }), true);
    return answer;
  };
  return { status: <Status {...said} />, busy, say, act };
}

/** The line itself: always there, so that what comes into it is read out. */
export function Status({ text, bad = false }: { text: string; bad?: boolean }) {
  return (
    <p
      key={`${bad}`}
      role={bad ? "alert" : "status"}
      class={`${text ? "my-3" : ""} text-sm font-medium ${bad ? "text-bad" : "text-accent"}`}
    >
      {text}
    </p>
  );
}
