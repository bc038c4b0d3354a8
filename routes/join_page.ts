/** The pages behind a join link: plain HTML, no scripts, for people who have Jami and nothing else. */

import { html } from "hono/html";
import type { JoinOffer, NodeFault } from "../core/node_api.ts";
import { plain } from "../islands/parts/given.tsx";
import { joinTexts } from "./texts/join.ts";
import type { Lang } from "./texts/index.ts";

type Html = ReturnType<typeof html>;

/** How a page is shown. */
export interface JoinLook {
  lang: Lang;
  /** address of the stylesheet; "" = none */
  css: string;
}

/** Asks for a Jami ID. @param isWrong was what was given before no Jami ID? */
export function joinPage(look: JoinLook, offer: JoinOffer, isWrong = false): Html {
  const t = joinTexts[look.lang];
  const { title, description, name } = offer;
  return page(
    look,
    filled(t.join, { group: isolated(title || t.theGroup) }),
    html`
      <p>${title === ""
        ? filled(t.aboutNameless, { name: isolated(name) })
        : filled(t.about, { name: isolated(name), group: html`<strong>${isolated(title)}</strong>` })}</p>
      ${description === "" ? "" : html`<p>${isolated(description)}</p>`}
      ${isWrong ? html`<p role="alert"><strong>${t.noJamiId}</strong></p>` : ""}
      <form method="post">
        <p><label for="jamiId">${t.jamiId}</label></p>
        <p><input class="field" id="jamiId" name="jamiId" required autofocus autocomplete="off" autocapitalize="off" spellcheck="false" size="48" maxlength="60"
        pattern="\\s*([jJ][aA][mM][iI]:)?[0-9a-fA-F]{40}\\s*" title="${t.jamiIdForm}" aria-describedby="where"></p>
        <p id="where">${t.where}</p>
        <p><button class="button primary">${t.invite}</button></p>
      </form>
      ${whatNext(look, offer)}
    `,
    plain(t.join.replace("{group}", () => title || t.theGroup)),
  );
}

/** Tells that it worked. */
export function joinedPage(look: JoinLook, offer: JoinOffer, result: "invited" | "member"): Html {
  const t = joinTexts[look.lang];
  if (result === "member") {
    return page(look, t.memberTitle, html`<p>${filled(t.member, { group: isolated(offer.title || t.theGroup) })}</p>`);
  }
  return page(look, t.invitedTitle, html`<p>${t.invited}</p>${whatNext(look, offer)}`);
}

/** Tells why it did not. */
export function refusedPage(look: JoinLook, fault: NodeFault): Html {
  const t = joinTexts[look.lang];
  return page(look, t.failed, html`<p>${t.refusals[fault]}</p>`);
}

/** Asks to wait. */
export function laterPage(look: JoinLook): Html {
  const t = joinTexts[look.lang];
  return page(look, t.notNow, html`<p>${t.tooMany}</p>`);
}

function whatNext({ lang }: JoinLook, { name, jamiId }: JoinOffer): Html {
  const t = joinTexts[lang];
  const values = { name: isolated(name), id: html`<code>${jamiId}</code>` };
  return html`
    <h2>${t.nextTitle}</h2>
    <ol>
      ${t.next.map((step) => html`<li>${filled(step, values)}</li>`)}
    </ol>
  `;
}

/** What somebody wrote keeps its direction to itself. */
function isolated(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** A text with elements in its `{places}`. */
function filled(text: string, values: Record<string, Html>): Html {
  return html`${text.split(/\{(\w+)\}/).map((part, i) => i % 2 === 1 ? values[part] : part)}`;
}

function page({ lang, css }: JoinLook, heading: string | Html, content: Html, title: string | Html = heading): Html {
  return html`
    <!doctype html>
    <html lang="${lang}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="color-scheme" content="light dark">
        <meta name="robots" content="noindex">
        <title>${title}</title>
        ${css === "" ? "" : html`<link rel="stylesheet" href="${css}">`}
      </head>
      <body class="join">
        <main class="panel">
    <h1>${heading}</h1>
    ${content}
        </main>
      </body>
    </html>
  `;
}
