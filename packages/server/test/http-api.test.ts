import { once } from 'node:events';
import { connect } from 'node:net';
import { MAX_REQUEST_BYTES } from 'agent-relay-protocol';
import { connectWebSocket } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import type { Relay } from '../src/relay/contract/relay-contract.ts';
import type { StartedRelay } from '../src/relay/relay.ts';
import { startTestRelay } from '../src/testing.ts';
import { OWNER_TOKEN, openServer } from './support/open-server.ts';
import { poll } from './support/poll.ts';
import { rawBytes, rawRequest } from './support/raw-http.ts';

const json = { 'content-type': 'application/json' };
const asOwner = { authorization: `Bearer ${OWNER_TOKEN}` };
const withBug = ({ handlers }: StartedRelay): Partial<Relay> => ({
  handlers: {
    ...handlers,
    'agents/remove': () => {
      throw new TypeError('a bug with secrets in it');
    },
  },
});
const errorOf = (body: unknown) => (body as { error: { code: string; issues?: unknown } }).error;

describe('routes over HTTP', () => {
  test('path, query and body become one typed input', async () => {
    await using server = await openServer();
    const [first = 0, second = 0] = await server.append(3);
    const listed = await rawRequest(`${server.url}/api/messages?since=${first}&limit=1&unread=true&for=owner`, { headers: asOwner });
    expect(listed.body).toMatchObject({ data: [{ id: second, readBy: [] }], nextCursor: second });
    const send = { method: 'POST', headers: { ...json, ...asOwner }, body: '{"to":"owner","body":"hello"}' };
    const sent = await rawRequest(`${server.url}/api/messages`, send);
    expect([sent.status, sent.headers['content-type']]).toEqual([201, 'application/json; charset=utf-8']);
    expect(sent.body).toMatchObject({ body: 'hello', matched: 1 });
  });

  test('a wrong field is named by its path, an unknown one too', async () => {
    await using server = await openServer();
    const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
    const answers = await Promise.all([
      rawRequest(`${server.url}/api/messages?limit=many`),
      rawRequest(`${server.url}/api/messages?limt=1`),
      rawRequest(`${server.url}/api/messages?limit=1&limit=2`),
      rawRequest(`${server.url}/api/messages/abc`),
      rawRequest(`${server.url}/api/agents/%ED%A0%80/inbox`),
      rawRequest(`${server.url}/api/messages/7/claim?agentId=A`, { method: 'POST', headers: json, body: '{"agentId":"B"}' }),
      rawRequest(`${server.url}/api/messages`, { method: 'POST', headers: json, body: '{"to":"x","body":"y","__proto__":{"a":1}}' }),
      rawRequest(`${server.url}/api/messages`, { method: 'POST', headers: json, body: `{"to":"x","body":"y","meta":${deep}}` }),
    ]);
    expect(answers.map(({ status, body }) => [status, errorOf(body).code, (errorOf(body).issues as { path: string }[])[0]?.path])).toEqual([
      [400, 'validation_failed', 'limit'],
      [400, 'validation_failed', 'limt'],
      [400, 'validation_failed', 'limit'],
      [400, 'validation_failed', 'id'],
      [400, 'validation_failed', 'id'],
      [400, 'validation_failed', 'agentId'],
      [400, 'validation_failed', '__proto__'],
      [400, 'validation_failed', 'meta'],
    ]);
  });

  test('a text cut in the middle of an emoji is stored, and found again by the same cut', async () => {
    await using server = await openServer();
    const post = (path: string, body: string) =>
      rawRequest(`${server.url}/api${path}`, { method: 'POST', headers: { ...json, ...asOwner }, body });
    const sent = await post('/messages', String.raw`{"to":"owner","body":"ok \ud83d","meta":{"deep":["\udc00"]}}`);
    expect(sent.body).toMatchObject({ body: 'ok \ufffd', meta: { deep: ['\ufffd'] } });
    await post('/agents', '{"id":"desk","name":"desk","kind":"channel"}');
    await post('/agents', '{"id":"worker","name":"worker"}');
    const binding = String.raw`{"conversationId":"\ud83d","target":"worker"}`;
    const bound = [await post('/channels/desk/bindings', binding), await post('/channels/desk/bindings', binding)];
    expect(bound.map(({ body }) => body)).toMatchObject([{ created: true }, { created: false }]);
  });

  test('faults of the request itself each have their status and the one error body', async () => {
    await using server = await openServer();
    const { url } = server;
    const post = (body: string | Buffer, headers: Record<string, string> = json) =>
      rawRequest(`${url}/api/messages`, { method: 'POST', headers, body });
    const answers = await Promise.all([
      rawRequest(`${url}/api/nothing`),
      rawRequest(`${url}/api/agents/a/b/c/d`),
      rawRequest(`${url}/api/messages`, { method: 'DELETE' }),
      post('{"to":'),
      post(Buffer.from([0x7b, 0xff, 0x7d])),
      post('[1]'),
      post('to=x', { 'content-type': 'application/x-www-form-urlencoded' }),
      post('{}', { ...json, 'content-encoding': 'gzip' }),
      post(`{"to":"x","body":"y","meta":{"deep":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`),
      rawRequest(`${url}/api/agents/%E0%A4%A`),
      rawRequest(`${url}/api/agents/nobody`),
    ]);
    expect(answers.map(({ status, body }) => [status, errorOf(body).code])).toEqual([
      [404, 'not_found'],
      [404, 'not_found'],
      [405, 'method_not_allowed'],
      [400, 'parse_error'],
      [400, 'parse_error'],
      [400, 'validation_failed'],
      [415, 'unsupported_media_type'],
      [415, 'unsupported_media_type'],
      [400, 'validation_failed'],
      [400, 'validation_failed'],
      [404, 'not_found'],
    ]);
    expect(answers[2]?.headers.allow).toBe('GET, HEAD, OPTIONS, POST');
    expect(server.logged).toEqual([]);
  });

  test('a plain client that sends far too much reads the refusal, is told that the connection ends, and meets no error', async () => {
    await using server = await openServer();
    for (const megabytes of [2, 24, 48]) {
      const { status, headers, body } = await rawRequest(`${server.url}/api/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.alloc(megabytes * 1024 * 1024, ' '),
      });
      expect({ status, body }).toMatchObject({ status: 413, body: { error: { code: 'payload_too_large' } } });
      expect(headers.connection).toBe('close');
    }
  });

  test('JSON that nests without end is refused at every door, and the door stays open', async () => {
    await using server = await openServer();
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
    for (const path of ['/api/messages', '/api/mcp']) {
      const { status } = await rawRequest(`${server.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER_TOKEN}` },
        body: `{"to":"id:a","body":"x","meta":${deep}}`,
      });
      expect(status).toBe(400);
    }
  });

  test('a request of very many values is refused before each is looked at, over HTTP and MCP', async () => {
    await using server = await openServer();
    const wide = (count: number) => ({ to: 'id:a', from: 'b', body: 'x', meta: { list: Array.from({ length: count }, () => []) } });
    const post = (path: string, body: unknown) =>
      rawRequest(`${server.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER_TOKEN}` },
        body: JSON.stringify(body),
      });
    const tool = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'relay_send', arguments: wide(60_000) } };
    const answers = await Promise.all([post('/api/messages', wide(40_000)), post('/api/messages', wide(60_000)), post('/mcp', tool)]);
    expect(answers.map(({ status, body }) => [status, status === 201 || errorOf(body).code])).toEqual([
      [201, true],
      [413, 'payload_too_large'],
      [413, 'payload_too_large'],
    ]);
    const keys = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, 1]));
    expect((await post('/api/messages', { ...wide(1), ...keys })).status).toBe(413);
  });

  test('a body over the limit is 413, said ahead or met on the way, and the client gets to read it', async () => {
    await using server = await openServer();
    const send = (headers: Record<string, string>) =>
      rawRequest(`${server.url}/api/messages`, {
        method: 'POST',
        headers: { ...json, ...headers },
        body: Buffer.alloc(MAX_REQUEST_BYTES * 3, 'a'),
      });
    const answers = await Promise.all([send({}), send({ 'transfer-encoding': 'chunked' })]);
    expect(answers.map(({ status, body }) => [status, errorOf(body).code])).toEqual([
      [413, 'payload_too_large'],
      [413, 'payload_too_large'],
    ]);
  });

  test('a bug inside is 500 without its words, and logged once', async () => {
    await using server = await openServer({ replace: withBug });
    const answer = await rawRequest(`${server.url}/api/agents/x`, { method: 'DELETE' });
    expect([answer.status, answer.body]).toEqual([500, { error: { code: 'internal', message: 'Something went wrong inside the relay' } }]);
    expect(server.logged).toEqual([
      { message: 'request failed', fields: { method: 'DELETE', path: '/api/agents/x', error: expect.any(TypeError) } },
    ]);
  });

  test('HEAD is GET without a body, OPTIONS names the methods', async () => {
    await using server = await openServer();
    const head = await rawRequest(`${server.url}/api/health`, { method: 'HEAD' });
    const options = await rawRequest(`${server.url}/api/health`, { method: 'OPTIONS' });
    expect([head.status, head.text, options.status, options.headers.allow]).toEqual([200, '', 204, 'GET, HEAD, OPTIONS']);
  });

  test('a waiting call ends when its client goes, and when the relay stops', async () => {
    const begun: string[] = [];
    const ended: string[] = [];
    await using server = await openServer({
      replace: ({ handlers }) => ({
        handlers: {
          ...handlers,
          'inbox/list': async (input, context) => {
            begun.push(input.id);
            try {
              return await handlers['inbox/list'](input, context);
            } finally {
              ended.push(input.id);
            }
          },
        },
      }),
    });
    for (const name of ['first', 'second']) await server.register({ name });
    const wait = (id: string, signal?: AbortSignal) =>
      fetch(`${server.url}/api/agents/${id}/inbox?waitMs=50000`, { headers: asOwner, ...(signal && { signal }) });
    const client = new AbortController();
    const gone = wait('first', client.signal);
    await poll('the first call', () => begun.includes('first'));
    client.abort();
    await expect(gone).rejects.toThrow();
    await poll('the first call ended', () => ended.includes('first'));
    const waiting = wait('second');
    await poll('the second call', () => begun.includes('second'));
    await server.drain();
    expect((await waiting).status).toBeLessThan(504);
    expect(ended).toEqual(['first', 'second']);
  });

  test('a drain ends connections that nothing was sent on at once, and lets a request under way come to its answer', async () => {
    await using server = await openServer();
    const silent = connect(server.port, '127.0.0.1');
    const busy = connect(server.port, '127.0.0.1');
    await Promise.all([once(silent, 'connect'), once(busy, 'connect')]);
    const body = JSON.stringify({ id: 'late', name: 'late' });
    const head = `POST /api/agents HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    busy.write(head + body.slice(0, 5));
    // What was asked after it has been answered: the half request has arrived.
    await rawRequest(`${server.url}/api/health`);
    const drained = server.drain();
    await once(silent, 'close');
    busy.write(body.slice(5));
    const [answer] = await once(busy, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 201 /u);
    await drained;
  });

  test('what is no HTTP gets the same error shape, and the server lives on', async () => {
    await using server = await openServer();
    const answer = await rawBytes(server.port, 'NONSENSE\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*"code":"parse_error"/u);
    const long = await rawBytes(server.port, `GET /api/health HTTP/1.1\r\nhost: localhost\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`);
    expect(long).toContain('"code":"payload_too_large"');
    expect((await rawRequest(`${server.url}/api/health`)).status).toBe(200);
  });

  test('a login code becomes a session once; wrong ones are soon too many, and a good one passes all the same', async () => {
    await using server = await openServer();
    const { code: good } = await server.call('login/create', {});
    const exchange = (code: string, headers = {}) =>
      rawRequest(`${server.url}/api/login-codes/exchange`, {
        method: 'POST',
        headers: { ...json, ...headers },
        body: JSON.stringify({ code }),
      });
    const first = await exchange(good);
    expect(first.headers['set-cookie']).toEqual([
      expect.stringMatching(/^agent_relay_session_[\w-]+=[\w-]+; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/u),
    ]);
    const sessions = (await server.call('tokens/list', {})).data.filter(({ kind }) => kind === 'browser');
    expect(first.body).toMatchObject({ tokenId: sessions[0]?.tokenId });
    expect(await exchange(good)).toMatchObject({ status: 401 });
    for (let attempt = 0; attempt < 19; attempt += 1) await exchange(`guess-${attempt}`);
    const refused = await exchange('one too many');
    expect([refused.status, Number(refused.headers['retry-after']) > 50]).toEqual([429, true]);
    expect((await exchange((await server.call('login/create', {})).code)).status).toBe(200);
  });

  test('a browser signs in with a token and is what the token is, until that is revoked', async () => {
    await using server = await openServer();
    const exchange = (body: object) =>
      rawRequest(`${server.url}/api/login-codes/exchange`, { method: 'POST', headers: json, body: JSON.stringify(body) });
    const { token, tokenId } = await server.call('tokens/create', { name: 'board', kind: 'observer' });
    const { status, headers, body } = await exchange({ token });
    expect([status, body]).toEqual([200, { expiresAt: null, session: expect.any(String) }]);
    const [cookie = ''] = headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/u);
    const { session } = body as { readonly session: string }; // as the page reads it
    const me = () =>
      rawRequest(`${server.url}/api/me`, { headers: { cookie: cookie.split(';')[0] ?? '', 'x-agent-relay-session': session } });
    expect(await me()).toMatchObject({ status: 200, body: { type: 'token', name: 'board' } });
    await server.call('tokens/revoke', { id: tokenId });
    expect(await me()).toMatchObject({ status: 401 });
    expect(await exchange({ token })).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    for (const bad of [{}, { token, code: 'both' }]) expect(await exchange(bad)).toMatchObject({ status: 400 });
  });

  test('a browser that logs out is forgotten: its session is over, and the socket it had open with it', async () => {
    await using server = await openServer();
    const browser = await server.browser();
    const page = { ...browser, origin: server.url };
    const logout = (headers: Record<string, string> = {}) => rawRequest(`${server.url}/api/login-session`, { method: 'DELETE', headers });
    const me = async () => (await rawRequest(`${server.url}/api/me`, { headers: browser })).status;
    await using socket = await connectWebSocket(`${server.url.replace('http', 'ws')}/ws`, { headers: page });
    expect([(await logout(browser)).status, await me()]).toEqual([403, 200]);
    const { status, headers, body } = await logout(page);
    expect([status, body]).toEqual([200, { ended: true }]);
    expect(headers['set-cookie']).toEqual([`${browser.cookie.split('=')[0]}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`]);
    expect(await me()).toBe(401);
    expect(await socket.closed).toMatchObject({ code: 4401 });
    expect(await logout(page)).toMatchObject({ status: 200, body: { ended: false } });
    expect(await logout()).toMatchObject({ status: 200, body: { ended: false } });
  });

  test('a browser that logs out ends no token: what it signed in with is good elsewhere', async () => {
    await using server = await openServer();
    const { token } = await server.call('tokens/create', { name: 'board', kind: 'observer' });
    const answer = await rawRequest(`${server.url}/api/login-codes/exchange`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ token }),
    });
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const { session } = answer.body as { readonly session: string }; // as the page reads it
    const headers = { cookie, origin: server.url, 'x-agent-relay-session': session };
    expect(await rawRequest(`${server.url}/api/login-session`, { method: 'DELETE', headers })).toMatchObject({ body: { ended: false } });
    expect(await rawRequest(`${server.url}/api/me`, { headers: { authorization: `Bearer ${token}` } })).toMatchObject({ status: 200 });
  });

  test('a token that a person chose signs a browser in, whatever signs it has', async () => {
    const chosen = 'YWJj;ZGVmZ2hpams==%zz';
    await using relay = await startTestRelay({ settings: { AGENT_RELAY_TOKEN: chosen } });
    const answer = await rawRequest(`${relay.url}/api/login-codes/exchange`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ token: chosen }),
    });
    const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const { session } = answer.body as { readonly session: string }; // as the page reads it
    const headers = { cookie, 'x-agent-relay-session': session };
    expect(await rawRequest(`${relay.url}/api/me`, { headers })).toMatchObject({ status: 200, body: { type: 'owner' } });
  });

  test('who may call what: tokenless programs the anonymous routes, agents all but the owner’s', async () => {
    await using server = await openServer();
    const token = await server.register({ name: 'A' });
    const activity = (headers: Record<string, string>) => rawRequest(`${server.url}/api/agents/A/activity`, { headers });
    const login = (headers: Record<string, string>) => rawRequest(`${server.url}/api/login-codes`, { method: 'POST', headers });
    const answers = await Promise.all([
      activity({}),
      activity({ authorization: `Bearer ${token}` }),
      login({ 'x-agent-relay-token': token }),
      login(asOwner),
    ]);
    expect(answers.map(({ status, body }) => [status, (body as { error?: { code: string } }).error?.code])).toEqual([
      [401, 'unauthorized'],
      [200, undefined],
      [403, 'forbidden_scope'],
      [201, undefined],
    ]);
    expect(answers[0]?.headers['www-authenticate']).toContain('Bearer');
  });
});
