import type { AgentEvent } from 'agent-relay-protocol';

const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;

/** Tokens by the minute they were reported in, oldest first; only the last hour's. */
export type TokenUse = readonly { readonly minute: number; readonly tokens: number }[];

/** What a finished turn cost, cached input left out: it is nearly free and would hide what is not. */
export function tokensOf(event: AgentEvent): number {
  if (event.type !== 'turn.completed' || !event.usage) return 0;
  const { inputTokens, outputTokens, cachedInputTokens = 0 } = event.usage;
  return Math.max(0, inputTokens - cachedInputTokens) + outputTokens;
}

export function withTokens(before: TokenUse, tokens: number, now: number): TokenUse {
  const minute = Math.floor(now / MINUTE_MS);
  const recent = before.filter((entry) => entry.minute > minute - HOUR_MINUTES);
  const last = recent.at(-1);
  if (last?.minute === minute) return [...recent.slice(0, -1), { minute, tokens: last.tokens + tokens }];
  return [...recent, { minute, tokens }];
}

export function tokensInHour(use: TokenUse, now: number): number {
  const minute = Math.floor(now / MINUTE_MS);
  return use.reduce((sum, entry) => (entry.minute > minute - HOUR_MINUTES ? sum + entry.tokens : sum), 0);
}
