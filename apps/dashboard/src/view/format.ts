import { RelayError } from 'agent-relay-client';
import { messageOf } from 'agent-relay-protocol';

/** A time of day. */
export const formatTime = (at: number): string =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

/** A day and a time, for what is pointed at. */
export const formatDate = (at: number): string => new Date(at).toLocaleString();

/** As a field for a day and a time takes it, to the minute. */
export const localMinute = (at: number): string =>
  new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length);

const units = [
  { name: 'd', sizeMs: 86_400_000 },
  { name: 'h', sizeMs: 3_600_000 },
  { name: 'min', sizeMs: 60_000 },
] as const;

/** How long a stretch of time is, in its largest whole unit. */
export function formatSpan(spanMs: number): string {
  const unit = units.find(({ sizeMs }) => spanMs >= sizeMs);
  return unit ? `${Math.floor(spanMs / unit.sizeMs)} ${unit.name}` : `${Math.max(0, Math.round(spanMs / 1_000))} s`;
}

/** When something was or will be, seen from now. */
export const formatDistance = (at: number, now: number): string => {
  if (Math.abs(at - now) < 5_000) return 'now';
  return at > now ? `in ${formatSpan(at - now)}` : `${formatSpan(now - at)} ago`;
};

/** What a person reads of an error; the code is what they can look up. */
export function errorText(error: unknown): string {
  if (error instanceof RelayError) return `${error.message} (${error.code})`;
  return messageOf(error);
}

interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd?: number | undefined;
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** What a turn took, as far as its agent says it. */
export const formatUsage = ({ inputTokens, outputTokens, costUsd }: Usage): string =>
  [
    `${compact.format(inputTokens)} in`,
    `${compact.format(outputTokens)} out`,
    ...(costUsd === undefined ? [] : [`$${costUsd.toFixed(2)}`]),
  ].join(' · ');

/** A count that takes no more room than three signs. */
export const formatCount = (count: number): string => (count > 999 ? '999+' : String(count));

const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: 2 });
const manyDollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', notation: 'compact', maximumFractionDigits: 1 });

/** A cost, as a vendor told it. */
export const formatCost = (usd: number): string => (usd >= 10_000 ? manyDollars : dollars).format(usd);
