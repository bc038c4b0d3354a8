/** What is shown where nothing is. */

/** A calm panel in the place of an empty list. */
export function Empty({ title, hint = "" }: { title: string; hint?: string }) {
  return (
    <div class="panel p-8 text-center">
      <p class="text-lg font-medium">{title}</p>
      {hint && <p class="text-muted mt-1">{hint}</p>}
    </div>
  );
}
