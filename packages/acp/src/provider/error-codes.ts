import { RequestError } from '@agentclientprotocol/sdk';
import { messageOf } from 'agent-relay-protocol';
import type { AgentFault } from 'agent-relay-provider';

const authRequired = -32_000;

/** What a turn failed with: an agent's error carries the model's HTTP status where there is one, and a word of JSON-RPC where there is none. */
export function faultFrom(error: unknown): AgentFault {
  const message = saidIn(error);
  if (!(error instanceof RequestError)) return { code: 'agent_error', message, retryable: true };
  const { code } = error;
  if (code === authRequired || code === 401 || code === 403) return { code: 'authentication_failed', message, retryable: false };
  if (code === 429 || /\b429\b|rate.?limit|quota|exhausted/iu.test(message)) return { code: 'rate_limited', message, retryable: true };
  if (code >= 500 && code < 600) return { code: 'server_error', message, retryable: true };
  if (code >= 400 && code < 500) return { code: 'invalid_request', message, retryable: false };
  return { code: 'agent_error', message, retryable: true };
}

/** Turns that ended by themselves and are no answer. */
export function faultOfStop(stopReason: string): AgentFault | null {
  if (stopReason === 'refusal') return { code: 'refused', message: 'The model refused to go on', retryable: false };
  if (stopReason === 'max_tokens')
    return { code: 'max_tokens', message: 'The answer reached the most tokens that the model may give', retryable: false };
  if (stopReason === 'max_turn_requests')
    return { code: 'max_turns', message: 'The turn reached its limit of requests to the model', retryable: false };
  return null;
}

/** What the agent says of it, details that stand beside the message included. */
export function saidIn(error: unknown): string {
  const message = messageOf(error);
  const data: unknown = error instanceof RequestError ? error.data : undefined;
  const details = typeof data === 'object' && data !== null && 'details' in data ? data.details : data;
  return typeof details === 'string' && details !== '' && details !== message ? `${message}: ${details}` : message;
}
