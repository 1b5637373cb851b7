import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

export interface RelayTools extends AsyncDisposable {
  readonly url: string;
  readonly sent: { to: string; body: string }[];
  readonly authorizations: Set<string>;
}

/** A small MCP server over HTTP with a tool `relay_send` that remembers what it was told. */
export async function startRelayTools(): Promise<RelayTools> {
  const sent: RelayTools['sent'] = [];
  const authorizations = new Set<string>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    authorizations.add(request.headers.authorization ?? '');
    const server = new McpServer({ name: 'agent-relay', version: '0.0.0' });
    server.registerTool(
      'relay_send',
      { description: 'Sends a message to an agent', inputSchema: { to: z.string(), body: z.string() } },
      (message) => {
        sent.push(message);
        return { content: [{ type: 'text', text: `sent to ${message.to}` }] };
      },
    );
    const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
    response.on('close', () => void server.close());
    // The transport's optional callbacks are declared without `undefined`, which exactOptionalPropertyTypes refuses.
    await server.connect(transport as Parameters<McpServer['connect']>[0]);
    await transport.handleRequest(request, response);
  };
  const http = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    sent,
    authorizations,
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}
