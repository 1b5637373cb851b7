import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** An MCP server over HTTP with two tools of the relay's, that remembers who called `relay_send` with what; `answer` is what they answer. */
export async function fakeRelayMcp({ answer: words = 'sent' }: { readonly answer?: string } = {}) {
  const calls: { readonly authorization: string | undefined; readonly input: unknown }[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const { id, method, params } = JSON.parse(body);
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    if (method === 'tools/call') calls.push({ authorization: request.headers.authorization, input: params.arguments });
    const result = method === 'tools/call' ? { content: [{ type: 'text', text: words }] } : results[method];
    const outcome = result === undefined ? { error: { code: -32601, message: 'Method not found' } } : { result };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const endpoint = {
    name: 'agent-relay',
    url: `http://127.0.0.1:${address.port}/mcp`,
    headers: { authorization: 'Bearer agent-token' },
  };
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { endpoint, calls, close };
}

const inputSchema = {
  type: 'object',
  properties: { to: { type: 'string' }, body: { type: 'string' }, waitForAnswerMs: { type: 'number' } },
};
const results: Record<string, unknown> = {
  initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'fake-relay', version: '1.0.0' } },
  'tools/list': {
    tools: [
      { name: 'relay_send', description: 'Send a message', inputSchema },
      { name: 'relay_inbox', description: 'Read your messages', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
    ],
  },
  ping: {},
};
