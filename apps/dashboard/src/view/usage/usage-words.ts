import type { UsageGroup, UsageMeasure } from '../../relay/usage-filter.ts';
import { formatCost } from '../format.ts';

/** So many parts of a bar have a colour of their own; what is beyond is the rest. */
export const CHART_PARTS = 6;

/** The variable that a part is drawn in. */
export const colourOf = (name: string | null, index: number): string =>
  name === null && index > 0 ? '--chart-rest' : `--chart-${(index % CHART_PARTS) + 1}`;

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const formatTokens = (count: number): string => compact.format(count);
export const formatMeasure = (show: UsageMeasure): ((value: number) => string) => (show === 'costUsd' ? formatCost : formatTokens);

export const groupWords: Readonly<Record<UsageGroup, string>> = { agent: 'by agent', model: 'by model', day: 'by day' };
export const measureWords: Readonly<Record<UsageMeasure, string>> = {
  costUsd: 'Cost',
  outputTokens: 'Output tokens',
  inputTokens: 'Input tokens',
  turns: 'Turns',
};

const dayWords = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** A day such as `2026-01-31`, short; what is none stays empty. */
export const shortDay = (day: string): string => (/^\d{4}-\d{2}-\d{2}$/u.test(day) ? dayWords.format(Date.parse(day)) : '');
