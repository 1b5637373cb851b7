import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface ToolCallSeen {
  readonly authorization: string | undefined;
  readonly tool: string;
  readonly input: unknown;
}

/** An MCP server over HTTP with two tools of the relay's kind: one answers at once, one waits as long as it is told to. */
export interface FakeRelayTools extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly ToolCallSeen[];
  /** Who introduced themselves, by name. */
  readonly clients: readonly string[];
  /** Names of those that are turned away. */
  readonly refused: Set<string>;
  /** How many calls nobody waits for any more were still running. */
  readonly abandoned: number;
}

const tools = [
  {
    name: 'relay_send',
    description: 'Sends a message to an agent',
    inputSchema: { type: 'object', properties: { to: { type: 'string' }, waitForAnswerMs: { type: 'number' } } },
  },
  {
    name: 'relay_inbox',
    description: 'Waits for messages',
    annotations: { readOnlyHint: true },
    inputSchema: { type: 'object', properties: { waitMs: { type: 'number' } } },
  },
];

interface RpcRequest {
  readonly id?: number;
  readonly method: string;
  readonly params?: {
    readonly protocolVersion?: string;
    readonly clientInfo?: { readonly name?: string };
    readonly name?: string;
    readonly arguments?: { readonly waitMs?: number };
  };
}

export async function startFakeRelayTools(): Promise<FakeRelayTools> {
  const calls: ToolCallSeen[] = [];
  const clients: string[] = [];
  const refused = new Set<string>();
  let abandoned = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const { id, method, params } = await readJson(request);
    if (id === undefined) return response.writeHead(202).end();
    const client = params?.clientInfo?.name ?? '';
    if (refused.has(client)) return response.writeHead(503).end();
    if (method === 'initialize') clients.push(client);
    if (method === 'tools/call') {
      response.once('close', () => {
        if (!response.writableFinished) abandoned += 1;
      });
      calls.push({ authorization: request.headers.authorization, tool: params?.name ?? '', input: params?.arguments });
      await wait(params?.arguments?.waitMs ?? 0);
    }
    const results: Record<string, unknown> = {
      initialize: { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'relay', version: '1' } },
      'tools/list': { tools },
      'tools/call': { content: [{ type: 'text', text: 'the relay answered' }] },
    };
    return response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] ?? {} }));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // A listening TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    calls,
    clients,
    refused,
    get abandoned() {
      return abandoned;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readJson(request: IncomingMessage): Promise<RpcRequest> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}
