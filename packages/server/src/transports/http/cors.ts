import type { IncomingMessage, ServerResponse } from 'node:http';
import { writeAnswer } from './answer.ts';

/** Lets the page that asked read the answer; never with its cookies, which are for our own page only. */
export function allowOrigin(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', request.headers.origin ?? '');
  response.setHeader('access-control-expose-headers', 'retry-after, x-relay-cursor, x-relay-generation, x-relay-version, x-relay-protocol');
  response.setHeader('vary', 'origin');
}

/** Answers OPTIONS: a preflight of an allowed origin with what it may send, anything else with the methods of the path. */
export function answerOptions(request: IncomingMessage, response: ServerResponse, allow: readonly string[]): void {
  const isPreflight = request.headers['access-control-request-method'] !== undefined;
  const methods = allow.join(', ');
  const preflight = {
    'access-control-allow-methods': methods,
    'access-control-allow-headers': 'authorization, content-type, last-event-id, x-agent-relay-token, mcp-protocol-version',
    'access-control-max-age': '600',
  };
  writeAnswer(response, { status: 204, body: undefined, headers: { allow: methods, ...(isPreflight ? preflight : {}) } });
}
