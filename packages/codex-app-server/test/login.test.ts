import type { StartOptions } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { FakeAppServer } from './fake-app-server.ts';

const options: StartOptions = {
  agentId: 'agent',
  sessionId: 'session',
  cwd: '/home/user/project',
  mode: 'agentic',
  approval: 'read-only',
  instructions: '',
  mcp: [],
  env: {},
  onProcess: () => {},
};

test('a login that is missing is told once, and what failed for it goes on once somebody has logged in', async () => {
  await using server = await FakeAppServer.start();
  let turns = 0;
  server.answer('turn/start', () => {
    turns += 1;
    return { turn: { id: `turn-${turns}` } };
  });
  const provider = new CodexProvider({ endpoint: server.endpoint });
  const session = await provider.start(options);
  const log = new EventLog(session);
  const threadId = session.vendorSessionId ?? '';
  const fail = async (id: string) => {
    server.notify('turn/started', { threadId, turn: { id, status: 'inProgress' } });
    const error = { message: 'logged out', codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 401 } } };
    server.notify('turn/completed', { threadId, turn: { id, status: 'failed', error } });
    await log.waitFor('turn.failed', ({ turnId }) => turnId === id);
  };
  const sent = () => server.received.filter(({ method }) => method === 'turn/start').map(({ params }) => params);

  await session.prompt({ text: 'from a message', messageIds: [7] }, { mode: 'next' });
  await fail('turn-1');
  await session.prompt({ text: 'from another', messageIds: [8] }, { mode: 'next' });
  await fail('turn-2');
  expect(log.ofType('agent.error')).toMatchObject([
    { code: 'login_expired', message: expect.stringContaining('codex login'), willRetry: true },
  ]);

  server.notify('account/updated', { authMode: null, planType: null });
  server.notify('account/updated', { authMode: 'chatgpt', planType: 'plus' });
  await expect.poll(() => sent()).toHaveLength(3);
  expect(sent()[2]).toMatchObject({ sandboxPolicy: { type: 'readOnly' } });

  server.notify('account/rateLimits/updated', { rateLimits: { primary: { usedPercent: 90 } } });
  expect(await log.waitFor('quota.warning')).toMatchObject({ usedPercent: 90 });
  await provider.close();
  await log.finished;
});

test.each([
  ['account/chatgptAuthTokens/refresh', { reason: 'unauthorized', previousAccountId: 'a1' }],
  ['attestation/generate', {}],
  ['currentTime/read', {}],
])('what Codex asks of whoever holds the login is refused in words and not left open: %s', async (method, params) => {
  await using server = await FakeAppServer.start();
  const provider = new CodexProvider({ endpoint: server.endpoint });
  await provider.start(options);
  await expect(server.request(method, params)).rejects.toMatchObject({ rpcCode: -32601, message: `Nobody here answers ${method}` });
  await provider.close();
});
