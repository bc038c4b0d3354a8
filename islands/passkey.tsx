/** The button that signs in, or makes an account, with a passkey. */

import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  /** what is begun: a sign-in, the first set-up, or an invited admin's account */
  kind: "sign-in" | "setup" | "join";
  /** of the link; "" for a sign-in */
  secret: string;
  /** where to go then */
  next: string;
  label: string;
  working: string;
  cancelled: string;
}

/** A refusal of the API, in its words. */
class Refused extends Error {}

/** Where each kind begins and ends, under `/api/v1`. */
const PATHS = {
  "sign-in": ["/session/passkey", "/session/passkey/finish"],
  "setup": ["/setup/passkey", "/setup"],
  "join": ["/admin-invitations/accept/passkey", "/admin-invitations/accept"],
} as const;

export default function Passkey(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [alive, setAlive] = useState(false);
  const [state, setState] = useState<{ busy: boolean; failure: string }>({ busy: false, failure: "" });
  useEffect(() => setAlive("PublicKeyCredential" in globalThis && globalThis.isSecureContext), []);
  const run = async () => {
    const form = place.current?.closest("form");
    if (props.kind !== "sign-in" && !(form?.elements.namedItem("name") as HTMLInputElement).reportValidity()) return; // reason: the page puts an input there
    setState({ busy: true, failure: "" });
    try {
      await dialogue(props, form ? new FormData(form) : new FormData());
      location.assign(props.next);
    } catch (error) {
      setState({ busy: false, failure: error instanceof Refused ? error.message : props.cancelled });
    }
  };
  return (
    <div ref={place} class="grid gap-2">
      <button type="button" class="button" disabled={!alive || state.busy} onClick={run}>
        {state.busy ? props.working : props.label}
      </button>
      <p role="alert" class="text-sm text-bad">{state.failure}</p>
    </div>
  );
}

/** Asks the node, the authenticator, and the node again. */
async function dialogue({ kind, secret }: Props, form: FormData): Promise<void> {
  const [begin, finish] = PATHS[kind];
  const name = String(form.get("name") ?? "");
  if (kind === "sign-in") {
    const options = PublicKeyCredential.parseRequestOptionsFromJSON(await post(begin));
    await post(finish, { passkey: shown(await navigator.credentials.get({ publicKey: options })) });
    return;
  }
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(await post(begin, { secret, name }));
  const passkey = shown(await navigator.credentials.create({ publicKey: options }));
  await post(finish, kind === "join" ? { secret, name, passkey } : { secret, admin: { name, passkey }, steps: true });
}

function shown(credential: Credential | null): unknown {
  if (credential instanceof PublicKeyCredential) return credential.toJSON();
  throw new Error("no passkey");
}

/** @throws {Refused} */
async function post<Answer>(path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`/api/v1${path}`, {
    method: "POST",
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Refused(answer.detail);
  return answer;
}
