import { asText } from 'agent-relay-protocol';
import type { AgentFault } from 'agent-relay-provider';
import type { ResultFrame } from '../stream-json/message-frames.ts';

/** Null for a turn that went well. `subtype` alone does not tell: a failed API call is a `success` with `is_error`. */
export function faultFrom(result: ResultFrame, assistantError: string | null): AgentFault | null {
  const isFailure = result.is_error || result.subtype !== 'success';
  if (!isFailure) return null;
  const said = result.result?.trim() || result.errors.map(asText).join('\n') || `Claude Code ended the turn with ${result.subtype}`;
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
