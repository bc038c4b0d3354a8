/** /sign-in, /sign-out, /setup and /admin-invitation: how people come in. The forms work without scripts; passkeys need one. */

import type { ComponentChild, ComponentChildren } from "preact";
import { bodyLimit } from "hono/body-limit";
import type { Context, MiddlewareHandler } from "hono";
import type { Admins, SignedIn } from "../core/admins/admins.ts";
import { AccessError } from "../core/admins/errors.ts";
import { type NodeApi, NodeError } from "../core/node_api.ts";
import Passkey from "../islands/passkey.tsx";
import { goOut, letIn } from "./api/session.ts";
import { MAX_BODY } from "./constants.ts";
import { island } from "./_island.tsx";
import { foreign } from "./middlewares/gate.ts";
import { problem } from "./problem.ts";
import { router } from "./router.ts";
import { NOT_HERE, type Sites } from "./site.ts";
import { type AccountTexts, accountTexts } from "./texts/accounts.ts";

const PasskeyIsland = island("passkey", Passkey);

/** What a page of these is. */
export interface AccountPage {
  title: string;
  body: ComponentChild;
}

/** Puts a page into the frame that all pages have. */
export type DrawPage = (
  c: Context,
  draw: (page: { lang: "en" | "fr" }) => AccountPage,
  options: { status: 200 | 401 | 403 | 409 | 422 | 429; signedIn: false },
) => Response | Promise<Response>;

/** What the pages are made with. */
export interface AccountPagesOptions {
  node: NodeApi;
  admins: Admins;
  sites: Sites;
  draw: DrawPage;
}

/** How a form was answered. */
interface Shown {
  /** what was wrong with it; "" = nothing yet */
  failure: string;
  /** what was typed, but for passwords */
  given: Record<string, string>;
}

/** The routes of these pages. */
export function accountPages({ node, admins, sites, draw }: AccountPagesOptions) {
  const routes = router();
  const guard: MiddlewareHandler = async (c, next) => foreign(c, c.get("caller")) ?? await next();
  const limit = bodyLimit({ maxSize: MAX_BODY, onError: () => problem(413, `A body may have ${MAX_BODY} bytes.`) });

  /** Shows a page, or why nobody can sign in here. */
  const show = (c: Context, page: (texts: AccountTexts) => AccountPage, failure?: AccessError | NodeError) => {
    const site = sites.of(c);
    const status = failure ? statusOf(failure) : site ? 200 : 403;
    return draw(c, ({ lang }) => site ? page(accountTexts[lang]) : elsewhere(accountTexts[lang]), {
      status,
      signedIn: false,
    });
  };
  /** A form that lets somebody in, and shows itself again when it does not. */
  const form = (
    path: string,
    action: string,
    page: (c: Context, shown: Shown) => (texts: AccountTexts) => AccountPage,
    come: (c: Context, given: Record<string, string>) => Promise<SignedIn>,
  ) => {
    routes.get(path, (c) => {
      const isIn = path === "/sign-in" && c.get("caller")?.kind === "session";
      return isIn
        ? c.redirect(localPath(c.req.query("next")), 303)
        : show(c, page(c, { failure: "", given: linkOf(c) }));
    });
    routes.post(path, guard, limit, async (c) => {
      const given = await fieldsOf(c);
      try {
        sites.need(c);
        admins.attempts.fromAddress(c.get("address"));
        const actor = letIn(c, admins, await come(c, given));
        admins.note({ actor: actor.name, address: c.get("address"), action, target: actor.name, detail: "" });
        return c.redirect(localPath(given.next), 303);
      } catch (error) {
        if (!(error instanceof AccessError || error instanceof NodeError)) throw error;
        const { password: _password, ...typed } = given;
        return show(c, page(c, { failure: error.message, given: typed }), error);
      }
    });
  };

  form("/sign-in", "session.begin", (_c, shown) => (t) => signInPage(t, shown, admins.setupNeeded), (c, given) => {
    return admins.signIn(given.name ?? "", given.password ?? "", c.get("address"));
  });
  form("/setup", "node.setup", (_c, shown) => (t) => setupPage(t, shown), async (c, given) => {
    const secret = given.secret ?? "";
    admins.checkSetup(secret);
    node.setup.begin();
    return await admins.setUp(secret, { name: given.name ?? "", password: given.password ?? "" }, sites.need(c));
  });
  form("/admin-invitation", "admin.join", (_c, shown) => (t) => joinPage(t, shown), (c, given) => {
    return admins.accept(given.secret ?? "", { name: given.name ?? "", password: given.password ?? "" }, sites.need(c));
  });
  routes.post("/sign-out", guard, (c) => {
    const caller = c.get("caller");
    goOut(c, admins);
    if (caller?.kind === "session") {
      admins.note({ actor: caller.name, address: caller.address, action: "session.end", target: "", detail: "" });
    }
    return c.redirect("/sign-in", 303);
  });
  return routes;
}

function signInPage(t: AccountTexts, { failure, given }: Shown, nobody: boolean): AccountPage {
  const next = localPath(given.next);
  return {
    title: t.signIn,
    body: (
      <Card action="/sign-in" title={t.signIn} failure={failure} hint={nobody ? t.notSetUp : ""}>
        <input type="hidden" name="next" value={next} />
        <Field name="name" label={t.name} value={given.name} autocomplete="username webauthn" />
        <Field name="password" type="password" label={t.password} autocomplete="current-password" />
        <button type="submit" class="button primary">{t.signIn}</button>
        <PasskeyIsland kind="sign-in" secret="" next={next} {...passkeyTexts(t, t.signInPasskey)} />
      </Card>
    ),
  };
}

function setupPage(t: AccountTexts, { failure, given }: Shown): AccountPage {
  return {
    title: t.setUp,
    body: (
      <Card action="/setup" title={t.setUp} failure={failure} hint={t.setUpHint}>
        <input type="hidden" name="secret" value={given.secret} />
        <input type="hidden" name="next" value="/setup" />
        <NewAdmin t={t} kind="setup" given={given} />
      </Card>
    ),
  };
}

function joinPage(t: AccountTexts, { failure, given }: Shown): AccountPage {
  return {
    title: t.join,
    body: (
      <Card action="/admin-invitation" title={t.join} failure={failure} hint={t.joinHint}>
        <input type="hidden" name="secret" value={given.secret} />
        <NewAdmin t={t} kind="join" given={given} />
      </Card>
    ),
  };
}

/** Name, and either a password or a passkey. */
function NewAdmin({ t, kind, given }: { t: AccountTexts; kind: "setup" | "join"; given: Record<string, string> }) {
  return (
    <>
      <Field name="name" label={t.name} value={given.name} autocomplete="username" />
      <Field name="password" type="password" label={t.password} hint={t.passwordHint} autocomplete="new-password" />
      <button type="submit" class="button primary">{t.withPassword}</button>
      <PasskeyIsland
        kind={kind}
        secret={given.secret ?? ""}
        next={kind === "setup" ? "/setup" : "/"}
        {...passkeyTexts(t, t.withPasskey)}
      />
    </>
  );
}

function elsewhere(t: AccountTexts): AccountPage {
  return {
    title: t.signIn,
    body: (
      <div class="panel p-8 grid gap-4 w-full max-w-md">
        <h1 class="text-xl font-semibold">{t.signIn}</h1>
        <p role="alert">{NOT_HERE}</p>
      </div>
    ),
  };
}

interface CardProps {
  action: string;
  title: string;
  failure: string;
  hint: string;
  children: ComponentChildren;
}

function Card({ action, title, failure, hint, children }: CardProps) {
  return (
    <form method="post" action={action} class="panel p-8 grid gap-5 w-full max-w-md">
      <h1 class="text-xl font-semibold">{title}</h1>
      {hint && <p class="text-muted">{hint}</p>}
      {failure && <p class="text-bad" role="alert">{failure}</p>}
      {children}
    </form>
  );
}

interface FieldProps {
  name: string;
  label: string;
  type?: "text" | "password";
  value?: string;
  hint?: string;
  autocomplete?: string;
}

function Field({ name, label, type = "text", value, hint, autocomplete }: FieldProps) {
  const id = `${name}-hint`;
  const kind = type as "text"; // reason: preact's types want to know which kind it is
  return (
    <div class="grid gap-1">
      <label class="grid gap-1 font-medium">
        {label}
        <input
          class="field font-normal"
          type={kind}
          name={name}
          value={value}
          required
          autocomplete={autocomplete}
          aria-describedby={hint && id}
        />
      </label>
      {hint && <p id={id} class="text-sm text-muted">{hint}</p>}
    </div>
  );
}

function passkeyTexts({ working, cancelled }: AccountTexts, label: string) {
  return { label, working, cancelled };
}

/** What a link may say. */
function linkOf(c: Context): Record<string, string> {
  return { secret: c.req.query("secret") ?? "", next: c.req.query("next") ?? "" };
}

async function fieldsOf(c: Context): Promise<Record<string, string>> {
  const fields = Object.entries(await c.req.parseBody());
  return Object.fromEntries(fields.flatMap(([key, value]) => typeof value === "string" ? [[key, value]] : []));
}

/** A path of this site; "/" for all else, so that nobody is led elsewhere. */
function localPath(given: string | undefined): string {
  return given !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(given) ? given : "/";
}

function statusOf(error: AccessError | NodeError): 401 | 403 | 409 | 422 | 429 {
  if (error instanceof NodeError) return 409;
  const statuses = { "unauthorised": 401, "forbidden": 403, "conflict": 409, "unfit": 422, "too many": 429 } as const;
  return error.fault === "not found" ? 403 : statuses[error.fault];
}
