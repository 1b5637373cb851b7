import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import type { Logger } from '../../logger.ts';
import type { Relay } from '../../relay/contract/relay-contract.ts';
import type { Draining } from '../draining.ts';
import { writeAnswer } from '../http/answer.ts';
import type { Endpoint, Exchange } from '../http/endpoint.ts';
import { HttpCall } from '../http/http-call.ts';
import { readJsonBody } from '../http/read-body.ts';
import { admitInput } from '../route-calls.ts';
import { ToolRunner } from './mcp-tools.ts';
import type { MessageServer } from './serve-message.ts';
import { callerOf } from './tool-caller.ts';

export interface McpDeps {
  readonly relay: Pick<Relay, 'handlers' | 'openEvents' | 'toolMail'>;
  readonly draining: Draining;
  readonly log: Logger;
}

/**
 * MCP over streamable HTTP, without sessions: every POST is one message and is answered with JSON. The bearer says whose tools they are.
 * `Idempotency-Key` makes it safe to ask again when an answer was lost. There is nothing to GET, because the relay never speaks first here.
 */
export function mcpEndpoint({ relay, draining, log }: McpDeps): Endpoint {
  // Loaded with the first agent that comes: the SDK costs a relay that nobody asks through MCP 30 MB for nothing.
  let loading: Promise<MessageServer> | undefined;
  const load = async () => new (await import('./serve-message.ts')).MessageServer(new ToolRunner({ relay, log }));
  return {
    methods: ['POST'],
    serve: async (exchange) => {
      const call = new HttpCall(await exchange.authenticate(), exchange.response, draining);
      const key = exchange.request.headers['idempotency-key'];
      const caller = callerOf(call, Array.isArray(key) ? key[0] : key);
      const body = await readJsonBody(exchange.request);
      admitInput(body);
      const message = messageOf(body);
      if (message === undefined) return answer(exchange, 400, invalidRequest);
      loading ??= load();
      const { status, body: told } = await (await loading).serve({ message, headers: headersOf(exchange.request), caller });
      answer(exchange, status, told);
    },
  };
}

/** Those that MCP gives a meaning; the rest is nobody's business there. */
function headersOf({ headers }: Exchange['request']): Headers {
  const meant = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' });
  for (const [name, value] of Object.entries(headers)) if (name.startsWith('mcp-') && typeof value === 'string') meant.set(name, value);
  return meant;
}

/** `undefined` for what is no single JSON-RPC message. */
function messageOf(body: unknown): JSONRPCMessage | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const { jsonrpc, method, id } = body as Record<string, unknown>; // an object has members; what they are is looked at here
  const isMessage = jsonrpc === '2.0' && (typeof method === 'string' || id !== undefined);
  return isMessage ? (body as JSONRPCMessage) : undefined; // the SDK's server parses it by its own schemas before it believes anything else
}

const invalidRequest = { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'The body is one JSON-RPC 2.0 message' } };

const answer = ({ response }: Exchange, status: number, body: unknown): void => writeAnswer(response, { status, body });
