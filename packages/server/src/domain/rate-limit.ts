/** How many requests a caller has left, as of a moment; what was not used comes back evenly. */
export interface Allowance {
  readonly left: number;
  readonly at: number;
}

const MINUTE_MS = 60_000;

/** Takes one request of `perMinute`; `retryAfterMs` says when there is one again, null when this one is allowed. */
export function takeRequest(
  allowance: Allowance | undefined,
  perMinute: number,
  now: number,
): { readonly allowance: Allowance; readonly retryAfterMs: number | null } {
  const earned = allowance ? ((now - allowance.at) * perMinute) / MINUTE_MS : 0;
  const left = allowance ? Math.min(perMinute, allowance.left + earned) : perMinute;
  if (left >= 1) return { allowance: { left: left - 1, at: now }, retryAfterMs: null };
  return { allowance: { left, at: now }, retryAfterMs: Math.ceil(((1 - left) * MINUTE_MS) / perMinute) };
}
