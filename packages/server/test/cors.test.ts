import { connectWebSocket } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config.ts';
import { OWNER_TOKEN, openServer } from './support/open-server.ts';
import { rawRequest } from './support/raw-http.ts';

const page = 'https://board.example';
const asOwner = { authorization: `Bearer ${OWNER_TOKEN}` };
const corsOf = (setting: string) => readConfig({ env: setting === '' ? {} : { AGENT_RELAY_CORS_ORIGINS: setting }, flags: {} }).corsOrigins;

describe.each([
  ['nothing', '', false],
  ['another site', 'https://other.example', false],
  ['the site', 'https://other.example,https://board.example', true],
  ['every site', '*', true],
])('AGENT_RELAY_CORS_ORIGINS names %s', (_, setting, isAllowed) => {
  const origins = corsOf(setting);

  test('what a page of the site may call and read', async () => {
    await using server = await openServer({ corsOrigins: origins });
    const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
      rawRequest(`${server.url}${path}`, { method, headers: { origin: page, ...headers } });
    const answers = await Promise.all([
      ask('/api/messages', asOwner),
      ask('/api/messages', { 'x-agent-relay-token': OWNER_TOKEN }),
      ask('/api/messages', {}),
      ask('/api/messages', { authorization: 'Bearer wrong' }),
      ask('/api/messages/999999', asOwner),
      ask('/api/messages', await server.browser()),
      ask('/api/messages', { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }, 'OPTIONS'),
      ask('/metrics', asOwner),
      ask('/api/openapi.json', asOwner),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(isAllowed ? [200, 200, 401, 401, 404, 403, 204, 200, 200] : answers.map(() => 403));
    for (const { headers } of answers) {
      // A refusal too is for the page to read; and never with the cookies of our own page.
      expect(headers['access-control-allow-origin']).toBe(isAllowed ? page : undefined);
      expect(headers['access-control-allow-credentials']).toBeUndefined();
      if (isAllowed) expect(headers['vary']).toBe('origin');
    }
  });

  test('the event stream and the socket are no way around it', async () => {
    await using server = await openServer({ corsOrigins: origins });
    const stop = new AbortController();
    const stream = await fetch(`${server.url}/api/events`, { headers: { origin: page, ...asOwner }, signal: stop.signal });
    expect([stream.status, stream.headers.get('access-control-allow-origin')]).toEqual(isAllowed ? [200, page] : [403, null]);
    stop.abort();
    const url = `${server.url.replace('http', 'ws')}/ws`;
    const opened = connectWebSocket(url, { headers: { origin: page, ...asOwner } }).then(
      async (duplex) => {
        await duplex.close();
        return 'open';
      },
      ({ code }: { code: string }) => code,
    );
    expect(await opened).toBe(isAllowed ? 'open' : 'forbidden_origin');
  });

  test('our own page needs no leave', async () => {
    await using server = await openServer({ corsOrigins: origins });
    const answer = await rawRequest(`${server.url}/api/health`, { headers: { origin: server.url } });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  });
});

test('a preflight says which headers a page may send and what it may read of an answer', async () => {
  await using server = await openServer({ corsOrigins: ['*'] });
  const headers = { origin: page, 'access-control-request-method': 'PATCH' };
  const preflight = await rawRequest(`${server.url}/api/agents/x/label`, { method: 'OPTIONS', headers });
  expect(preflight).toMatchObject({
    status: 204,
    headers: {
      'access-control-allow-methods': 'OPTIONS, PATCH',
      'access-control-allow-headers': 'authorization, content-type, last-event-id, x-agent-relay-token, mcp-protocol-version',
      'access-control-max-age': '600',
    },
  });
  const answer = await rawRequest(`${server.url}/api/health`, { headers: { origin: page, ...asOwner } });
  expect(answer.headers['access-control-expose-headers']).toContain('x-relay-cursor');
  expect(answer.headers['access-control-expose-headers']).toContain('retry-after');
});
