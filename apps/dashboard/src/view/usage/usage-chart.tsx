import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { UsageSeries } from '../../relay/usage.ts';
import { colourOf, shortDay } from './usage-words.ts';

const HEIGHT = 240;

interface UsageChartProps {
  /** As `2026-01-31`, oldest first. */
  readonly days: readonly string[];
  readonly series: readonly UsageSeries[];
  readonly format: (value: number) => string;
  /** Told the place of the day that is pointed at; null when none is. */
  readonly onPoint: (index: number | null) => void;
}

/** A bar for each day, in parts; the table beside it says the same. */
export function UsageChart({ days, series, format, onPoint }: UsageChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const point = useRef(onPoint);
  useEffect(() => {
    point.current = onPoint;
  });
  useEffect(() => {
    const host = place.current;
    if (!host) return;
    const onCursor = (index: number | null) => point.current(index);
    const chart = new uPlot(optionsOf(host, { days, series, format, onCursor }), stacked(days, series), host);
    const size = new ResizeObserver(() => chart.setSize({ width: host.clientWidth, height: HEIGHT }));
    size.observe(host);
    const stopColours = onColoursChanged(() => chart.redraw());
    return () => {
      stopColours();
      size.disconnect();
      chart.destroy();
    };
  }, [days, series, format]);
  return <div ref={place} aria-hidden="true" className="min-w-0 overflow-hidden" style={{ height: HEIGHT }} />;
}

/** Each part begins where the one before ends, so the highest sum is drawn first and the others over it. */
function stacked(days: readonly string[], series: readonly UsageSeries[]): uPlot.AlignedData {
  const sums = series.map((_, place) =>
    days.map((__, day) => series.slice(0, place + 1).reduce((sum, { values }) => sum + (values[day] ?? 0), 0)),
  );
  return [days.map((_, index) => index), ...sums.toReversed()];
}

interface Drawn extends Pick<UsageChartProps, 'days' | 'series' | 'format'> {
  readonly onCursor: (index: number | null) => void;
}

function optionsOf(host: HTMLElement, { days, series, format, onCursor }: Drawn): uPlot.Options {
  const colour = (name: string) => () => resolvedColour(host, name);
  const axis = { stroke: colour('--color-soft'), font: '12px sans-serif', ticks: { show: false } };
  const bars = uPlot.paths.bars?.({ size: [0.75, 48] });
  return {
    width: host.clientWidth,
    height: HEIGHT,
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: [-0.6, days.length - 0.4] },
      y: { range: (_chart, _least, most) => [0, most > 0 ? most * 1.05 : 1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 56,
        size: 28,
        incrs: [1, 2, 7, 14, 28, 56, 112],
        values: (_chart, places) => places.map((index) => shortDay(days[index] ?? '')),
      },
      { ...axis, grid: { stroke: colour('--color-line'), width: 1 }, size: 56, values: (_chart, values) => values.map(format) },
    ],
    series: [
      {},
      ...series
        .map(({ name }, index) => ({
          fill: colour(colourOf(name, index)),
          width: 0,
          points: { show: false },
          ...(bars === undefined ? {} : { paths: bars }),
        }))
        .toReversed(),
    ],
    hooks: { setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)] },
  };
}

/** A canvas takes no variables, and they stand for another colour in each theme. */
function resolvedColour(host: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** The system's theme, or the one that was chosen here, is another one. */
function onColoursChanged(listener: () => void): () => void {
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const chosen = new MutationObserver(listener);
  dark.addEventListener('change', listener);
  chosen.observe(document.documentElement, { attributeFilter: ['style'] });
  return () => {
    dark.removeEventListener('change', listener);
    chosen.disconnect();
  };
}
