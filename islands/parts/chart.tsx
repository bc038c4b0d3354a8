/** A small line over the last hour or day. */

import { useEffect, useRef } from "preact/hooks";
import type UPlot from "uplot";

/** Pixels. */
const HEIGHT = 104;

interface ChartProps {
  /** seconds since 1970 */
  times: number[];
  values: number[];
  /** what it shows, for who cannot see it */
  label: string;
  /** how an axis writes a value */
  format: (value: number) => string;
  /** the distances that lines of the axis may have */
  steps: number[];
}

/** Seconds that the chart is wide at least. */
const NARROWEST = 600;

/** Draws the line once the page lives; its colours are those of the page. */
export function Chart({ times, values, label, format, steps }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<UPlot | null>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let gone = false;
    const draw = async () => {
      const { default: Plot } = await import("uplot");
      if (gone) return;
      chart.current?.destroy();
      chart.current = new Plot(options(element, format, steps), [times, values], element);
    };
    const resize = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    resize.observe(element);
    draw();
    return () => {
      gone = true;
      scheme.removeEventListener("change", draw);
      resize.disconnect();
      chart.current?.destroy();
    };
  }, []);
  useEffect(() => chart.current?.setData([times, values]), [times, values]);
  return <div ref={box} class="h-[104px] overflow-hidden" role="img" aria-label={label} />;
}

function options(element: HTMLElement, format: (value: number) => string, steps: number[]): UPlot.Options {
  const style = getComputedStyle(element);
  const [line, grid, text] = ["--accent", "--line", "--muted"].map((name) => style.getPropertyValue(name).trim());
  const axis = { stroke: text, font: "11px system-ui, sans-serif", ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 18, 0, 0],
    scales: {
      x: { range: (_, first, last) => [Math.min(first, last - NARROWEST), last] },
      y: { range: (_, __, most) => [0, Math.max(1, most * 1.15)] },
    },
    axes: [
      { ...axis, size: 22, space: 70, grid: { show: false }, values: (_, splits) => splits.map(clock) },
      {
        ...axis,
        size: 52,
        space: 30,
        incrs: steps,
        grid: { stroke: grid, width: 1 },
        values: (_, splits) => splits.map(format),
      },
    ],
    series: [{}, { stroke: line, width: 1.75, fill: `${line}1f`, points: { show: false } }],
  };
}

/** Hours and minutes. @param at seconds since 1970 */
function clock(at: number): string {
  return new Date(at * 1000).toTimeString().slice(0, 5);
}
