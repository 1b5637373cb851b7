import { listAll } from 'agent-relay-client';
import type { UsageDay } from 'agent-relay-protocol';
import type { ListView } from '../live/view.ts';
import type { UsageGroup, UsageMeasure } from './usage-filter.ts';

const DAY_MS = 86_400_000;
const PAGE = 1_000;

/** What agents used since a day; the log does not tell of it, so whoever shows it has it read again. */
export const usageView = ({ since, agent }: { readonly since: string; readonly agent?: string | undefined }): ListView<UsageDay> => ({
  name: 'usage',
  id: JSON.stringify([since, agent]),
  route: 'usage/list',
  read: (relay) => listAll(relay.usage.list, { since, limit: PAGE, ...(agent === undefined ? {} : { agent }) }),
  apply: (days) => days,
});

/** A day as the relay names it: in UTC. */
const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** So many days up to now, oldest first. */
export const daysUpTo = (now: number, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => dayOf(now - (count - 1 - index) * DAY_MS));

type Counts = Pick<UsageDay, 'turns' | 'inputTokens' | 'cachedInputTokens' | 'outputTokens' | 'reasoningTokens' | 'costUsd'>;

/** What one agent, model or day used together. */
export interface UsageTotal extends Counts {
  readonly name: string;
}

const nothing: Counts = { turns: 0, inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0, costUsd: 0 };

const add = (one: Counts, other: Counts): Counts => ({
  turns: one.turns + other.turns,
  inputTokens: one.inputTokens + other.inputTokens,
  cachedInputTokens: one.cachedInputTokens + other.cachedInputTokens,
  outputTokens: one.outputTokens + other.outputTokens,
  reasoningTokens: one.reasoningTokens + other.reasoningTokens,
  costUsd: one.costUsd + other.costUsd,
});

export const totalUsage = (rows: readonly Counts[]): Counts => rows.reduce(add, nothing);

/** A model that a vendor does not name is its vendor's. */
const nameIn = (by: UsageGroup, { agentId, model, provider, day }: UsageDay): string =>
  by === 'agent' ? agentId : by === 'model' ? (model ?? provider) : day;

/** Added up by agent, model or day: who has most of what is looked at first, days the newest first. */
export function groupUsage(rows: readonly UsageDay[], by: UsageGroup, show: UsageMeasure): readonly UsageTotal[] {
  const totals = new Map<string, Counts>();
  for (const row of rows) totals.set(nameIn(by, row), add(totals.get(nameIn(by, row)) ?? nothing, row));
  const groups = [...totals].map(([name, counts]) => ({ name, ...counts }));
  return groups.sort((one, other) =>
    by === 'day' ? other.name.localeCompare(one.name) : other[show] - one[show] || one.name.localeCompare(other.name),
  );
}

/** A part of each day's bar. */
export interface UsageSeries {
  /** Null for the rest, of whom each has too little to be told apart. */
  readonly name: string | null;
  /** One for each day. */
  readonly values: readonly number[];
}

/** What is drawn: so many parts at most, the largest first. */
export function usageSeries(
  rows: readonly UsageDay[],
  {
    by,
    show,
    days,
    most,
  }: { readonly by: UsageGroup; readonly show: UsageMeasure; readonly days: readonly string[]; readonly most: number },
): readonly UsageSeries[] {
  const places = new Map(days.map((day, index) => [day, index]));
  const names = by === 'day' ? [] : groupUsage(rows, by, show).map(({ name }) => name);
  const told = names.slice(0, names.length > most ? most - 1 : most);
  const series = new Map<string | null, number[]>(told.map((name) => [name, days.map(() => 0)]));
  for (const row of rows) {
    const place = places.get(row.day);
    const name = told.find((each) => each === nameIn(by, row)) ?? null;
    const values = series.get(name) ?? days.map(() => 0);
    series.set(name, values);
    if (place !== undefined) values[place] = (values[place] ?? 0) + row[show];
  }
  return [...series].map(([name, values]) => ({ name, values }));
}
