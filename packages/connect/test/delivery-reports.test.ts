import { once } from 'node:events';
import { RelayError } from 'agent-relay-protocol';
import { silentLog } from 'agent-relay-wire';
import { expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { LinkHolder } from '../src/link-holder.ts';
import { NodeRelay } from '../src/node-relay.ts';
import { RelayLink } from '../src/relay-link.ts';

const later = new RelayError('overloaded', 'Later');
const refusal = { code: later.rpcCode, message: later.message, data: later.toBody() };

it('a session’s end is not told before the last word on its mail, also where the relay was too busy for that', async () => {
  const heard: string[] = [];
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { id, method } = JSON.parse(String(data)) as { readonly id: number; readonly method: string }; // what our own node sends
      heard.push(method);
      const answer = heard.length <= 2 ? { error: refusal } : { result: { applied: [1] } };
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    });
  });
  await once(server, 'listening');
  const address = server.address();
  const link = await RelayLink.open({
    url: new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`),
    token: 'token',
    onCommand: async () => ({}),
    onNotification: () => {},
    onError: () => {},
  });
  const links = new LinkHolder();
  links.set(link);
  const relay = new NodeRelay({ links, log: silentLog, clock: Date, tools: { dismiss: () => {} } });
  const session = { sessionId: 's1', agentId: 'Worker', instanceId: 'i', epoch: 1 };
  void relay.report(session, [{ messageId: 1, state: 'delivered', evidence: 'echo', reason: 'It died' }]);
  relay.sessionEnded(session, { status: 'failed', reason: 'It died' });
  await expect.poll(() => heard.length).toBeGreaterThanOrEqual(2);
  const isOver = async () => {
    await relay.flush();
    return heard.includes('sessions/report');
  };
  await expect.poll(isOver).toBe(true);
  expect(heard).toEqual(['deliveries/report', 'deliveries/report', 'deliveries/report', 'sessions/report']);
  await link.close();
  server.close();
});
