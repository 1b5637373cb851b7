import { Link } from '@tanstack/react-router';
import type { UsageDay } from 'agent-relay-protocol';
import { useMemo, useState } from 'react';
import { useAskedAgain } from '../../live/use-asked-again.ts';
import { useNow } from '../../live/use-connection.ts';
import { useList } from '../../live/use-list.ts';
import { daysUpTo, groupUsage, totalUsage, usageSeries, usageView } from '../../relay/usage.ts';
import type { UsageFilter, UsageGroup, UsageMeasure } from '../../relay/usage-filter.ts';
import { formatCost } from '../format.ts';
import { Problem } from '../problem.tsx';
import { Empty } from '../split-page.tsx';
import { UsageChart } from './usage-chart.tsx';
import { UsageTools } from './usage-tools.tsx';
import { UsageTotals } from './usage-totals.tsx';
import { CHART_PARTS, colourOf, formatMeasure, formatTokens, measureWords, shortDay } from './usage-words.ts';

const ASK_MS = 60_000;

/** What agents used, by agent, model and day. */
export function UsageOverview({ filter }: { readonly filter: UsageFilter }) {
  const today = daysUpTo(useNow(ASK_MS), 1)[0] ?? '';
  const span = filter.days ?? 30;
  // The same list until the day is over: what is drawn hangs on it.
  const days = useMemo(() => daysUpTo(Date.parse(today), span), [today, span]);
  const { status, all, error, readAgain } = useList(usageView({ since: days[0] ?? today, agent: filter.agent }));
  useAskedAgain(readAgain, ASK_MS);
  // Not every vendor says what a turn cost.
  const show = filter.show ?? (all.length === 0 || all.some(({ costUsd }) => costUsd > 0) ? 'costUsd' : 'outputTokens');
  return (
    <main className="grid min-h-0 grid-cols-[minmax(0,1fr)] grid-rows-[auto_minmax(0,1fr)]">
      <UsageTools filter={filter} show={show} />
      <div className="min-h-0 overflow-y-auto">
        <div className="measure grid grid-cols-[minmax(0,1fr)] gap-4 p-4">
          {error === null ? null : <Problem error={error} onRetry={readAgain} />}
          {status === 'reading' ? <p className="text-soft">Reading…</p> : null}
          {status === 'refused' ? <Empty title="This token may not see what agents use." /> : null}
          {status === 'ready' && all.length === 0 ? <NothingUsed filter={filter} days={span} /> : null}
          {all.length > 0 ? <Used rows={all} days={days} by={filter.by ?? 'agent'} show={show} /> : null}
        </div>
      </div>
    </main>
  );
}

const NothingUsed = ({ filter: { agent }, days }: { readonly filter: UsageFilter; readonly days: number }) => (
  <Empty title={agent === undefined ? `Nothing was used in the last ${days} days.` : `${agent} used nothing in the last ${days} days.`}>
    <p>Tokens and cost are counted with each turn of an agent, as far as its vendor tells them.</p>
    {agent === undefined ? null : (
      <Link to="/usage" search={{}} className="text-accent hover:underline">
        Show every agent
      </Link>
    )}
  </Empty>
);

interface UsedProps {
  readonly rows: readonly UsageDay[];
  readonly days: readonly string[];
  readonly by: UsageGroup;
  readonly show: UsageMeasure;
}

function Used({ rows, days, by, show }: UsedProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const series = useMemo(() => usageSeries(rows, { by, show, days, most: CHART_PARTS + 1 }), [rows, by, show, days]);
  const colours = new Map(series.map(({ name }, index) => [name, colourOf(name, index)]));
  const total = totalUsage(rows);
  const agents = new Set(rows.map(({ agentId }) => agentId)).size;
  return (
    <>
      <dl className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        <Figure word="Cost" value={total.costUsd === 0 ? '–' : formatCost(total.costUsd)} note="as vendors say" />
        <Figure word="Turns" value={formatTokens(total.turns)} note={agents === 1 ? 'of one agent' : `of ${agents} agents`} />
        <Figure word="Input tokens" value={formatTokens(total.inputTokens)} note={`${formatTokens(total.cachedInputTokens)} cached`} />
        <Figure word="Output tokens" value={formatTokens(total.outputTokens)} note={`${formatTokens(total.reasoningTokens)} reasoning`} />
      </dl>
      <section aria-label={`${measureWords[show]} by day`} className="grid gap-2 rounded-xl border border-line bg-panel p-4">
        <p className="flex flex-wrap items-baseline gap-x-2 text-xs">
          <span className="font-medium text-sm">{measureWords[show]}</span>
          <span className="text-soft">{pointed === null ? 'each day, in UTC' : pointedWords({ series, days, show, pointed })}</span>
        </p>
        <UsageChart days={days} series={series} format={formatMeasure(show)} onPoint={setPointed} />
      </section>
      <section aria-label="Added up" className="rounded-xl border border-line bg-panel px-4 py-2">
        <UsageTotals
          groups={groupUsage(rows, by, show)}
          total={total}
          by={by}
          show={show}
          colourOf={(name) => (by === 'day' ? null : (colours.get(name) ?? colours.get(null) ?? null))}
        />
      </section>
    </>
  );
}

const Figure = ({ word, value, note }: { readonly word: string; readonly value: string; readonly note: string }) => (
  <div className="rounded-xl border border-line bg-panel px-4 py-3">
    <dt className="text-soft text-xs">{word}</dt>
    <dd className="font-semibold text-lg tabular-nums">
      {value} <span className="block font-normal text-soft text-xs sm:inline">{note}</span>
    </dd>
  </div>
);

interface Pointed extends Pick<Parameters<typeof UsageChart>[0], 'series' | 'days'> {
  readonly show: UsageMeasure;
  readonly pointed: number;
}

/** What the bar of one day is made of, the largest first. */
function pointedWords({ series, days, show, pointed }: Pointed): string {
  const format = formatMeasure(show);
  const parts = series
    .map(({ name, values }) => ({ name: name ?? 'others', value: values[pointed] ?? 0 }))
    .filter(({ value }) => value > 0)
    .sort((one, other) => other.value - one.value);
  const sum = parts.reduce((total, { value }) => total + value, 0);
  const told = parts.length > 1 ? `: ${parts.map(({ name, value }) => `${name} ${format(value)}`).join(', ')}` : '';
  return `${shortDay(days[pointed] ?? '')}, ${format(sum)}${told}`;
}
