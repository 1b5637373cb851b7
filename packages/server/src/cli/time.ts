import { InvalidArgumentError } from 'commander';

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;

/** A moment that a person names, as Unix milliseconds: `today`, `yesterday`, `2026-03-01`, `2026-03-01T12:30`, or how long ago, as `2h`. */
export function readTime(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/u.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) return Date.now() - Number(count) * unitMs[unit as keyof typeof unitMs];
  if (text === 'today' || text === 'yesterday') {
    const midnight = new Date();
    midnight.setHours(0, 0, 0, 0);
    if (text === 'yesterday') midnight.setDate(midnight.getDate() - 1);
    return midnight.getTime();
  }
  // A date alone would be read as one of Greenwich.
  const at = Date.parse(/^\d{4}-\d{2}-\d{2}$/u.test(text) ? `${text}T00:00` : text);
  if (/^\d{4}-\d{2}-\d{2}/u.test(text) && Number.isSafeInteger(at) && at >= 0) return at;
  throw new InvalidArgumentError('must be today, yesterday, a date as 2026-03-01, or how long ago, as 30m, 2h or 7d');
}

/** How long, as a person says it: `12h`, `90d`. In milliseconds. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([smhd])$/u.exec(text) ?? [];
  if (count === undefined || unit === undefined) throw new InvalidArgumentError('must be a number and s, m, h or d, e.g. 90d');
  return Number(count) * unitMs[unit as keyof typeof unitMs];
}
