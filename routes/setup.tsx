/** /setup after the first admin is made: one page for each step, and the way back to where it was left. */

import type { ComponentChild, ComponentChildren } from "preact";
import type { Context } from "hono";
import { covers } from "../core/admins/roles.ts";
import { type NodeApi, SETUP_STEPS, type SetupStep } from "../core/node_api.ts";
import { fill } from "../islands/parts/words.ts";
import SetupAccountIsland from "../islands/setup_account.tsx";
import SetupNodeIsland from "../islands/setup_node.tsx";
import SetupPolicyIsland from "../islands/setup_policy.tsx";
import SetupReadyIsland from "../islands/setup_ready.tsx";
import { AddNode } from "./add.tsx";
import { MAX_ALLOWED, MAX_ARCHIVE_TEXT } from "./constants.ts";
import { island } from "./_island.tsx";
import type { PageContext } from "./_layout.tsx";
import type { Page, Renderer } from "./_page.tsx";
import { router } from "./router.ts";
import type { Sites } from "./site.ts";
import { type SetupTexts, setupTexts } from "./texts/setup.ts";

const NodeStep = island("setup_node", SetupNodeIsland);
const AccountStep = island("setup_account", SetupAccountIsland);
const PolicyStep = island("setup_policy", SetupPolicyIsland);
const ReadyStep = island("setup_ready", SetupReadyIsland);

/** What the pages are made with. */
export interface SetupPagesOptions {
  node: NodeApi;
  renderer: Renderer;
  sites: Sites;
}

/** The routes of the steps; before there is an admin, `/setup` is answered by the pages of sign-in. */
export function setupPages({ node, renderer, sites }: SetupPagesOptions) {
  const routes = router();
  routes.get("/setup", async (c, next) => {
    if (node.admins.setupNeeded || !sites.of(c)) return await next();
    const caller = c.get("caller"), step = node.setup.step;
    if (!caller) return c.redirect(step === null ? "/sign-in" : "/sign-in?next=/setup", 303);
    if (step === null || !covers(caller.role, "owner")) return c.redirect("/", 303);
    const shown = shownStep(c, step);
    const draw = (page: PageContext) => stepPage(node, { ...page, role: caller.role }, shown);
    return await renderer.page(c, draw, { signedIn: false });
  });
  // an owner who comes back to a set-up that is not through is led to where it was left
  routes.get("/", async (c, next) => {
    const caller = c.get("caller");
    const isLeft = caller?.kind === "session" && covers(caller.role, "owner") && node.setup.step !== null;
    return isLeft ? c.redirect("/setup", 303) : await next();
  });
  return routes;
}

/** The step that was asked for, when it is one that was done; else the present one. */
function shownStep(c: Context, now: SetupStep): SetupStep {
  const asked = SETUP_STEPS.find((step) => step === c.req.query("step"));
  return asked && SETUP_STEPS.indexOf(asked) < SETUP_STEPS.indexOf(now) ? asked : now;
}

function stepPage(node: NodeApi, page: PageContext, step: SetupStep): Page {
  const t = setupTexts[page.lang];
  const { name, acceptRequests, allowlist } = node.setup.settings;
  const bodies: Record<SetupStep, () => ComponentChild> = {
    node: () => <NodeStep t={t} common={page.t.common} name={name} />,
    account: () => (
      <AccountStep
        t={t}
        common={page.t.common}
        jamiId={node.info().jamiId}
        first={node.setup.importing}
        possible={node.setup.mayImport}
        most={MAX_ARCHIVE_TEXT}
      />
    ),
    policy: () => (
      <PolicyStep
        t={t}
        common={page.t.common}
        policy={acceptRequests}
        allowlist={allowlist}
        most={MAX_ALLOWED}
      />
    ),
    add: () => (
      <>
        <AddNode api={node} page={page} />
        <ReadyStep t={t} common={page.t.common} />
      </>
    ),
  };
  return { title: t.title, body: <Frame t={t} step={step} wide={step === "add"}>{bodies[step]()}</Frame> };
}

interface FrameProps {
  t: SetupTexts;
  step: SetupStep;
  wide: boolean;
  children: ComponentChildren;
}

/** How far one is, what is asked, and the way back. */
function Frame({ t, step, wide, children }: FrameProps) {
  const at = SETUP_STEPS.indexOf(step);
  return (
    <div class={`w-full ${wide ? "max-w-4xl" : "max-w-lg"} self-start py-6 md:py-12`}>
      <p class="text-sm text-muted mb-2">{fill(t.progress, { n: at + 1, all: SETUP_STEPS.length })}</p>
      <ol class="grid grid-cols-4 gap-2 mb-6">
        {SETUP_STEPS.map((one, i) => (
          <li key={one} aria-current={i === at ? "step" : undefined} class="grid gap-1 text-sm">
            <span class={`h-1 rounded-full ${i <= at ? "bg-accent" : "bg-line"}`} aria-hidden="true" />
            <span class={i === at ? "font-semibold" : "text-muted"}>{t.steps[one]}</span>
          </li>
        ))}
      </ol>
      <h1 class="text-2xl font-semibold">{t[step].title}</h1>
      <p class="text-muted mt-1 mb-5">{t[step].hint}</p>
      {children}
      {at > 0 && (
        <p class="mt-4">
          <a class="link text-sm" href={`/setup?step=${SETUP_STEPS[at - 1]}`}>{t.back}</a>
        </p>
      )}
    </div>
  );
}
