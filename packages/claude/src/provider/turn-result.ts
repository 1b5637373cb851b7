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

interface TurnError {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Null for a turn that went well. `subtype` alone does not tell: a failed API call is a `success` with `is_error`. */
export function turnError(result: ResultFrame, assistantError: string | null): TurnError | null {
  const isFailure = result.is_error || result.subtype !== 'success';
  if (!isFailure) return null;
  const said = result.result?.trim() || result.errors.map(String).join('\n') || `Claude Code ended the turn with ${result.subtype}`;
  const status = result.api_error_status ?? null;
  const { code, retryable } = meaningOf(status, assistantError ?? result.subtype);
  return { code, message: said, retryable };
}

function meaningOf(status: number | null, word: string): { code: string; retryable: boolean } {
  if (status === 401 || status === 403 || word === 'authentication_failed') return { code: 'authentication_failed', retryable: false };
  if (status === 429 || word === 'rate_limit') return { code: 'rate_limited', retryable: true };
  if (status === 529 || word === 'overloaded') return { code: 'overloaded', retryable: true };
  if ((status !== null && status >= 500) || word === 'server_error') return { code: 'server_error', retryable: true };
  if ((status !== null && status >= 400) || word === 'invalid_request') return { code: 'invalid_request', retryable: false };
  if (word === 'billing_error') return { code: 'billing_error', retryable: false };
  if (word.startsWith('error_')) return { code: word.slice('error_'.length), retryable: false };
  return { code: 'agent_error', retryable: true };
}
