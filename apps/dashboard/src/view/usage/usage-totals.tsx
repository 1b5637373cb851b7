import type { ReactNode } from 'react';
import type { UsageTotal } from '../../relay/usage.ts';
import type { UsageGroup, UsageMeasure } from '../../relay/usage-filter.ts';
import { AgentLink } from '../agent-link.tsx';
import { formatCost } from '../format.ts';
import { formatTokens, shortDay } from './usage-words.ts';

const columns = [
  { name: 'turns', word: 'Turns', format: formatTokens, place: '' },
  { name: 'inputTokens', word: 'Input', format: formatTokens, place: '' },
  { name: 'cachedInputTokens', word: 'Cached', format: formatTokens, place: 'hidden sm:table-cell' },
  { name: 'outputTokens', word: 'Output', format: formatTokens, place: '' },
  { name: 'costUsd', word: 'Cost', format: formatCost, place: '' },
] as const satisfies readonly { readonly name: keyof UsageTotal; readonly word: string; format(value: number): string; place: string }[];

interface UsageTotalsProps {
  readonly groups: readonly UsageTotal[];
  readonly total: Omit<UsageTotal, 'name'>;
  readonly by: UsageGroup;
  readonly show: UsageMeasure;
  /** The variable in which a group is drawn; null where it has none. */
  readonly colourOf: (name: string) => string | null;
}

/** What each agent, model or day used; tokens are counted as vendors say. */
export const UsageTotals = ({ groups, total, by, show, colourOf }: UsageTotalsProps) => (
  <table className="w-full text-xs tabular-nums">
    <thead className="text-soft">
      <tr>
        <th className="py-1.5 pr-2 text-left font-medium">{{ agent: 'Agent', model: 'Model', day: 'Day' }[by]}</th>
        {columns.map(({ name, word, place }) => (
          <th
            key={name}
            className={`px-2 py-1.5 text-right font-medium last:pr-0 ${place} ${name === show ? 'text-ink' : ''}`}
            {...(name === show && { 'aria-sort': 'descending' as const })}
          >
            {word}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {groups.map((group) => (
        <Row key={group.name} counts={group} show={show} data-usage={group.name}>
          <span className="flex items-baseline gap-2">
            <Swatch colour={colourOf(group.name)} />
            <span className="min-w-0 [overflow-wrap:anywhere]">
              <Name name={group.name} by={by} />
            </span>
          </span>
        </Row>
      ))}
    </tbody>
    <tfoot>
      <Row counts={total} show={show} data-usage="total">
        <span className="font-medium">Together</span>
      </Row>
    </tfoot>
  </table>
);

interface RowProps {
  readonly counts: Omit<UsageTotal, 'name'>;
  readonly show: UsageMeasure;
  readonly 'data-usage': string;
  readonly children: ReactNode;
}

const Row = ({ counts, show, children, ...mark }: RowProps) => (
  <tr className="border-line border-t" {...mark}>
    <th scope="row" className="py-1.5 pr-2 text-left font-normal">
      {children}
    </th>
    {columns.map(({ name, format, place }) => (
      <td key={name} className={`px-2 py-1.5 text-right align-baseline last:pr-0 ${place} ${name === show ? 'font-medium' : 'text-soft'}`}>
        {name === 'costUsd' && counts.costUsd === 0 ? '–' : format(counts[name])}
      </td>
    ))}
  </tr>
);

const Swatch = ({ colour }: { readonly colour: string | null }) => (
  <span className="size-2.5 shrink-0 rounded-sm" style={{ background: colour === null ? 'transparent' : `var(${colour})` }} />
);

function Name({ name, by }: { readonly name: string; readonly by: UsageGroup }) {
  if (by === 'agent') return <AgentLink id={name} />;
  return by === 'day' ? <time dateTime={name}>{`${shortDay(name)} ${name.slice(0, 4)}`}</time> : name;
}
