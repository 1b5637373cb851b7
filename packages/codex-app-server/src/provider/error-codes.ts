import type { AgentFault } from 'agent-relay-provider';
import type { TurnError } from '../app-server/notifications.ts';

const retryableCodes = new Set([
  'agent_crashed',
  'model_overloaded',
  'rate_limited',
  'internal_server_error',
  'http_connection_failed',
  'response_stream_connection_failed',
  'response_stream_disconnected',
  'response_too_many_failed_attempts',
  'flex_unavailable',
  'other',
]);

const ourNames: Readonly<Record<string, string>> = { server_overloaded: 'model_overloaded', rate_limit_exceeded: 'rate_limited' };

/** Codex's word for what went wrong, in the form of our codes; a word of a later version is passed on in the same form. */
export function faultFrom({ message, codexErrorInfo, additionalDetails }: TurnError): AgentFault {
  const [word, detail] =
    typeof codexErrorInfo === 'string' ? [codexErrorInfo, undefined] : (Object.entries(codexErrorInfo ?? {})[0] ?? ['other', undefined]);
  const snake = word.replaceAll(/[A-Z]/gu, (letter) => `_${letter.toLowerCase()}`);
  const code = byStatus(statusOf(detail)) ?? ourNames[snake] ?? snake;
  return { code, message: additionalDetails ? `${message} (${additionalDetails})` : message, retryable: retryableCodes.has(code) };
}

function byStatus(status: number | undefined): string | undefined {
  if (status === 401 || status === 403) return 'unauthorized';
  return status === 429 ? 'rate_limited' : undefined;
}

function statusOf(detail: unknown): number | undefined {
  if (typeof detail !== 'object' || detail === null || !('httpStatusCode' in detail)) return undefined;
  return typeof detail.httpStatusCode === 'number' ? detail.httpStatusCode : undefined;
}
