import { expect, test } from 'vitest';
import { isLocalRequest } from '../src/server/local-requests.ts';
import { connect, startBridge } from './bridge-world.ts';

const evil = 'https://evil.example';

test.each([
  ['a page of elsewhere', { origin: evil }],
  ['a page of a name that was pointed here', { origin: 'http://evil.example:9999', headers: { host: 'evil.example:9999' } }],
  ['a name that was pointed here', { headers: { host: 'evil.example' } }],
  ['a page without an origin of its own', { origin: 'null' }],
])('without a token %s starts nothing', async (_what, options) => {
  for (const protocol of ['agent-ws', 'ai-relay'] as const) {
    const { url, claude } = await startBridge({ protocol, mode: 'agentic' });
    const client = await connect(url, options);
    if (client.socket.readyState === client.socket.OPEN) client.send({ tool: 'claude', folder: '/' });
    expect(await client.closed).toMatchObject({ code: 4003 });
    expect(claude.starts).toEqual([]);
  }
});

test('without a token pages of this machine are let in, and those that are named', async () => {
  const own = await startBridge();
  const local = await connect(own.url, { origin: 'http://localhost:5173' });
  expect(await local.next(() => true)).toMatchObject({ type: 'connected' });
  const named = await startBridge({ allowedOrigins: [evil] });
  const page = await connect(named.url, { origin: evil });
  expect(await page.next(() => true)).toMatchObject({ type: 'connected' });
});

test('an empty token is none, and does not let every page in', async () => {
  await expect(startBridge({ authToken: '' })).rejects.toMatchObject({
    code: 'validation_failed',
    message: expect.stringContaining('empty'),
  });
});

test('with a token any page that has it is let in', async () => {
  const { url } = await startBridge({ authToken: 'secret' });
  const page = await connect(`${url}?token=secret`, { origin: evil, headers: { host: 'bridge.example' } });
  expect(await page.next(() => true)).toMatchObject({ type: 'connected' });
});

test.each([
  ['localhost', 'localhost:9999', true],
  ['localhost', '[::1]:9999', true],
  ['localhost', '192.0.2.1:9999', false],
  ['0.0.0.0', '192.0.2.1:9999', true],
  ['::', '[2001:db8::1]:9999', true],
  ['0.0.0.0', 'evil.example:9999', false],
  ['bridge.example', 'bridge.example:9999', true],
  ['localhost', 'localhost.evil.example', false],
  ['localhost', '', false],
])('listening on %s, the host %s is of this machine: %s', (bound, host, isLocal) => {
  expect(isLocalRequest({ host }, bound)).toBe(isLocal);
});
