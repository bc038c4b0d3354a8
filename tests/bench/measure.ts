/** What a measurement gives, and how it is printed. */

/** One line of the result: the same work done by both; `null` where one cannot do it at all. */
export interface Figure {
  what: string;
  unit: "ms" | "MiB" | "/s";
  kituo: number | null;
  daemon: number | null;
}

/** The figures as a Markdown table. The ratio says how many times the daemon's cost Kituo's is: below 1, Kituo is better. */
export function table(figures: Figure[]): string {
  const rows = figures.map((
    { what, unit, kituo, daemon },
  ) => [what, cell(kituo, unit), cell(daemon, unit), ratio(kituo, daemon, unit)]);
  return [["What", "Kituo", "jami-daemon", "Ratio"], ["---", "---", "---", "---"], ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function cell(value: number | null, unit: string): string {
  if (value === null) return "never";
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

function ratio(kituo: number | null, daemon: number | null, unit: string): string {
  if (kituo === null || daemon === null) return "—";
  return (unit === "/s" ? daemon / kituo : kituo / daemon).toFixed(2);
}

/** The middle one of an odd number of measurements. */
export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Runs `work`; ms it took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
