/** What is shown when there is no page, or it failed. */

import type { PageContext } from "./_layout.tsx";
import type { Page } from "./_page.tsx";

export function errorPage({ t: { errors: t } }: PageContext, status: 403 | 404 | 500): Page {
  const [title, hint] =
    { 403: [t.refused, t.refusedHint], 404: [t.notFound, t.notFoundHint], 500: [t.failed, t.failedHint] }[status];
  return {
    title,
    body: (
      <div class="max-w-md mx-auto text-center py-16 md:py-28">
        <p class="text-sm font-semibold text-accent figure" aria-hidden="true">{status}</p>
        <h1 class="text-2xl font-semibold mt-1">{title}</h1>
        <p class="mt-2 mb-6 text-muted">{hint}</p>
        <a class="button" href="/">{t.back}</a>
      </div>
    ),
  };
}
