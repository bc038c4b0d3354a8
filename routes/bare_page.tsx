/** The frame of a page that has no look of its own. */

import { render } from "preact-render-to-string";
import type { DrawPage } from "./account_pages.tsx";

/** Draws a page in the language that the browser prefers. */
export const drawBare: DrawPage = (c, draw, { status }) => {
  const lang = /^fr\b/i.test(c.req.header("accept-language") ?? "") ? "fr" : "en";
  const { title, body } = draw({ lang });
  const html = render(
    <html lang={lang}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
      </head>
      <body>
        <main>{body}</main>
      </body>
    </html>,
  );
  return c.html(`<!doctype html>${html}`, status, { "cache-control": "no-store" });
};
