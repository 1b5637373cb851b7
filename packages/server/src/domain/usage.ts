import type { AgentEvent, Session, UsageDay } from 'agent-relay-protocol';

/**
 * What an entry of activity adds to the day of its agent; null where it is no use. A turn ends with what all of it used; what came in between is part
 * of that. `now`: days are the relay's, whatever a machine's clock says.
 */
export function usageAddedBy({ agentId, provider, model }: Session, event: AgentEvent, now: number): UsageDay | null {
  if (event.type !== 'turn.completed' || !event.usage) return null;
  const { inputTokens, outputTokens, cachedInputTokens = 0, reasoningTokens = 0, costUsd = 0 } = event.usage;
  return {
    day: new Date(now).toISOString().slice(0, 10),
    agentId,
    provider,
    model,
    turns: 1,
    inputTokens: cappedUsage(inputTokens),
    outputTokens: cappedUsage(outputTokens),
    cachedInputTokens: cappedUsage(cachedInputTokens),
    reasoningTokens: cappedUsage(reasoningTokens),
    costUsd: cappedUsage(costUsd),
  };
}

/** What days add up stays a number that JSON can say, whatever a vendor reports. */
const cappedUsage = (count: number): number => Math.min(count, MAX_USAGE);

/** Nor does a day add up to more. */
export const MAX_USAGE = Number.MAX_SAFE_INTEGER;
