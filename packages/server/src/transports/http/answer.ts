import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  detailsOf,
  type ErrorCode,
  MAX_REQUEST_BYTES,
  PROTOCOL_HEADER,
  PROTOCOL_VERSION,
  RELAY_VERSION,
  RelayError,
  toRelayError,
  VERSION_HEADER,
} from 'agent-relay-protocol';
import { sendable } from 'agent-relay-wire/node';
import { discardBody } from './discard-body.ts';

/** Answers nobody else may keep or read as anything but what it says it is. */
const jsonHeaders = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  [VERSION_HEADER]: RELAY_VERSION,
  [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
} as const;

/** An answer as transports pass it on before it is written. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function writeAnswer(response: ServerResponse, { status, body, headers }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const text = body === undefined ? '' : JSON.stringify(body);
  const closing = isOwedMuch(response.req) ? { connection: 'close' } : {};
  response.writeHead(status, { ...jsonHeaders, ...headers, ...closing, 'content-length': Buffer.byteLength(text) });
  if ('connection' in closing) {
    // Ended at once, the connection would be cut under a client that is still sending, and the answer lost with it.
    response.write(sendable(text));
    discardBody(response.req, () => response.end());
    return;
  }
  // Node keeps the body of an answer to HEAD back by itself.
  response.end(sendable(text));
}

/** The client goes on sending more than anybody will read. */
const isOwedMuch = ({ complete, headers }: IncomingMessage): boolean =>
  !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > MAX_REQUEST_BYTES);

/** Every failed request answers with this one shape. */
export function errorAnswer(error: unknown): Answer {
  const relayError = toRelayError(error);
  const headers = errorHeaders(relayError);
  return { status: relayError.httpStatus, body: { error: relayError.toBody() }, ...(headers === undefined ? {} : { headers }) };
}

function errorHeaders(error: RelayError): Readonly<Record<string, string>> | undefined {
  const byCode: Partial<Record<ErrorCode, () => Record<string, string>>> = {
    unauthorized: () => ({ 'www-authenticate': 'Bearer realm="agent-relay"' }),
    rate_limited: () => ({ 'retry-after': String(retryAfterSeconds(detailsOf(error, 'rate_limited')?.retryAfterMs ?? 0)) }),
    method_not_allowed: () => ({ allow: (detailsOf(error, 'method_not_allowed')?.allow ?? []).join(', ') }),
  };
  return byCode[error.code]?.();
}

const retryAfterSeconds = (retryAfterMs: number): number => Math.max(1, Math.ceil(retryAfterMs / 1000));

export const methodNotAllowed = (allow: readonly string[]): RelayError =>
  new RelayError('method_not_allowed', `This path answers ${allow.join(', ')}`, { details: { allow } });
