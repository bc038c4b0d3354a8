/** The pages behind a join link: plain HTML, no scripts, for people who have Jami and nothing else. */

import { html } from "hono/html";
import type { JoinOffer } from "../core/node_api.ts";

type Html = ReturnType<typeof html>;

/** Asks for a Jami ID. @param complaint what was wrong with the one before */
export function joinPage(offer: JoinOffer, complaint = ""): Html {
  const { title, description, name } = offer;
  return page(
    `Join ${groupName(offer)}`,
    html`
      <p>You are about to be invited into ${title === ""
        ? "a group"
        : html`the group <strong>${title}</strong>`} on Jami by ${name}.</p>
      ${description === "" ? "" : html`<p>${description}</p>`}
      ${complaint === "" ? "" : html`<p role="alert"><strong>${complaint}</strong></p>`}
      <form method="post">
        <p><label for="jamiId">Your Jami ID</label></p>
        <p><input id="jamiId" name="jamiId" required autofocus autocomplete="off" autocapitalize="off" spellcheck="false" size="48" maxlength="60"
        pattern="\\s*([jJ][aA][mM][iI]:)?[0-9a-fA-F]{40}\\s*" title="40 digits and letters from a to f" aria-describedby="where"></p>
        <p id="where">It has 40 digits and letters. In Jami you find it in the settings of your account, or under “Share”.</p>
        <p><button>Invite me</button></p>
      </form>
      ${whatNext(offer)}
    `,
  );
}

/** Tells that it worked. */
export function joinedPage(offer: JoinOffer, result: "invited" | "member"): Html {
  if (result === "member") {
    return page("You are in already", html`<p>This account is a member of ${groupName(offer)}. Open Jami to talk.</p>`);
  }
  return page("You are invited", html`<p>Now go to Jami.</p>${whatNext(offer)}`);
}

/** Tells why it did not. */
export function refusedPage(heading: string, why: string): Html {
  return page(heading, html`<p>${why}</p>`);
}

function whatNext({ name, jamiId }: JoinOffer): Html {
  return html`
    <h2>What happens in Jami</h2>
    <ol>
      <li>${name} may ask to become your contact. Accept, so that the two of you can connect.</li>
      <li>The invitation into the group arrives among your invitations. Accept it, and you are in.</li>
      <li>Nothing arrives? Add ${name} as a contact by its Jami ID: <code>${jamiId}</code>. Keep Jami open for a minute.</li>
    </ol>
  `;
}

function groupName({ title }: JoinOffer): string {
  return title === "" ? "the group" : title;
}

function page(heading: string, content: Html): Html {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <meta name="robots" content="noindex">
        <title>${heading}</title>
      </head>
      <body>
        <main>
    <h1>${heading}</h1>
    ${content}
        </main>
      </body>
    </html>
  `;
}
