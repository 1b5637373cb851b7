import type { LiveEvent } from 'agent-relay-provider';
import { clampCount } from 'agent-relay-wire';
import type { ResultFrame } from '../stream-json/message-frames.ts';

type Usage = Extract<LiveEvent, { type: 'usage.updated' }>['usage'];

/** `previousCostUsd` because Claude counts costs over the whole process, tokens over the turn. Undefined when the model was not asked. */
export function usageOf(result: ResultFrame, previousCostUsd: number): Usage | undefined {
  const { usage, total_cost_usd: totalCostUsd, modelUsage } = result;
  if (!usage) return undefined;
  const inputTokens = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  if (inputTokens === 0 && usage.output_tokens === 0) return undefined;
  const contextWindow = Math.max(0, ...Object.values(modelUsage).map((model) => model.contextWindow));
  return {
    inputTokens: clampCount(inputTokens),
    outputTokens: usage.output_tokens,
    cachedInputTokens: usage.cache_read_input_tokens,
    ...(totalCostUsd === undefined ? {} : { costUsd: Math.max(0, totalCostUsd - previousCostUsd) }),
    ...(contextWindow > 0 ? { contextWindow } : {}),
  };
}

export const wasInterrupted = ({ terminal_reason: reason }: ResultFrame): boolean => reason?.startsWith('aborted') ?? false;
