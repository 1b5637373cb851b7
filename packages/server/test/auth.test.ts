import { RelayError } from 'agent-relay-protocol';
import { JsonRpcPeer } from 'agent-relay-wire';
import { connectWebSocket } from 'agent-relay-wire/node';
import { describe, expect, test } from 'vitest';
import { OWNER_TOKEN, openServer } from './support/open-server.ts';
import { rawRequest } from './support/raw-http.ts';

const codeOf = (body: unknown) => (body as { error?: { code: string } }).error?.code ?? (body as { type: string }).type;

describe('Host', () => {
  test.each([
    ['127.0.0.1:4850', 200],
    ['localhost', 200],
    ['relay.localhost:1', 200],
    ['[::1]:4850', 200],
    ['Relay.Example', 200],
    ['evil.example', 421],
    ['127.0.0.1.evil.example', 421],
    ['localhost.evil.example:4850', 421],
    ['192.168.1.5', 421],
    ['localhost:4850@evil.example', 421],
  ])('%s is answered %i on a loopback bind', async (host, status) => {
    await using server = await openServer({ allowedHosts: ['relay.example'] });
    expect((await rawRequest(`${server.url}/api/health`, { headers: { host } })).status).toBe(status);
  });

  test('addresses are hosts of a bind to other machines, names still have to be named', async () => {
    await using server = await openServer({ bindHost: '0.0.0.0' });
    const statuses = ['192.168.1.5:4850', '[fe80::1]', 'evil.example'].map(async (host) => {
      return (await rawRequest(`${server.url}/api/health`, { headers: { host } })).status;
    });
    expect(await Promise.all(statuses)).toEqual([200, 200, 421]);
  });
});

describe('Origin', () => {
  const host = 'localhost:4850';

  test.each([
    ['no origin, as programs are', {}, 200],
    ['our own page', { origin: `http://${host}` }, 200],
    ['another port of this machine', { origin: 'http://localhost:3000' }, 403],
    ['another site', { origin: 'https://evil.example' }, 403],
    ['a sandboxed page', { origin: 'null' }, 403],
    ['an allowed site without a token', { origin: 'https://board.example' }, 401],
    ['an allowed site with a token', { origin: 'https://board.example', authorization: `Bearer ${OWNER_TOKEN}` }, 200],
    ['an image on another site, which sends no origin', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a link on another port, which sends no origin', { 'sec-fetch-site': 'same-site' }, 403],
    ['the address bar', { 'sec-fetch-site': 'none' }, 200],
  ])('%s', async (_who, headers, status) => {
    await using server = await openServer({ corsOrigins: ['https://board.example'] });
    const answer = await rawRequest(`${server.url}/api/health`, { headers: { host, ...headers } });
    expect(answer.status).toBe(status);
    const isAllowed = (headers as { origin?: string }).origin === 'https://board.example';
    expect(answer.headers['access-control-allow-origin']).toBe(isAllowed ? 'https://board.example' : undefined);
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  test('a preflight of an allowed origin learns what it may send', async () => {
    await using server = await openServer({ corsOrigins: ['*'] });
    const headers = { origin: 'https://board.example', 'access-control-request-method': 'POST' };
    const answer = await rawRequest(`${server.url}/api/messages`, { method: 'OPTIONS', headers });
    expect(answer).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': 'https://board.example', 'access-control-allow-methods': 'GET, HEAD, OPTIONS, POST' },
    });
  });
});

describe('credentials', () => {
  test.each([
    ['nothing, on loopback', {}, 'anonymous'],
    ['the owner as bearer', { authorization: `Bearer ${OWNER_TOKEN}` }, 'owner'],
    ['the owner in our own header', { 'x-agent-relay-token': OWNER_TOKEN }, 'owner'],
    ['a bad token, also on loopback', { authorization: 'Bearer nonsense' }, 'unauthorized'],
    ['another scheme', { authorization: 'Basic b3duZXI=' }, 'unauthorized'],
    ['nothing, through a proxy', { 'x-forwarded-for': '203.0.113.9' }, 'unauthorized'],
    ['a bad cookie', { cookie: 'COOKIE-NAME=nonsense', 'x-agent-relay-session': 'WORD' }, 'unauthorized'],
    ['a good cookie with its word', { cookie: 'a=b; COOKIE-NAME=COOKIE-VALUE', 'x-agent-relay-session': 'WORD' }, 'owner'],
    ['a good cookie, as another port of the host gets it', { cookie: 'COOKIE-NAME=COOKIE-VALUE' }, 'anonymous'],
    [
      'a good cookie with a word of somebody’s own',
      { cookie: 'COOKIE-NAME=COOKIE-VALUE', 'x-agent-relay-session': 'guess' },
      'unauthorized',
    ],
    ['a good cookie as a bearer', { authorization: 'Bearer COOKIE-VALUE' }, 'unauthorized'],
    ['a word as a bearer', { authorization: 'Bearer WORD' }, 'unauthorized'],
    ['a foreign cookie', { cookie: 'other=COOKIE-VALUE', 'x-agent-relay-session': 'WORD' }, 'anonymous'],
    ['the cookie of another relay on this host', { cookie: 'agent_relay_session_other=nonsense' }, 'anonymous'],
    ['both', { cookie: 'agent_relay_session_other=nonsense; COOKIE-NAME=COOKIE-VALUE', 'x-agent-relay-session': 'WORD' }, 'owner'],
  ])('%s', async (_what, headers, expected) => {
    await using server = await openServer();
    const { cookie, 'x-agent-relay-session': word } = await server.browser();
    const [name = '', value = ''] = cookie.split('=');
    const text = JSON.stringify(headers).replace('COOKIE-NAME', name).replace('COOKIE-VALUE', value).replace('WORD', word);
    const written = JSON.parse(text);
    expect(codeOf((await rawRequest(`${server.url}/api/me`, { headers: written })).body)).toBe(expected);
  });

  test('a browser that logs in to two relays of one host stays logged in to both', async () => {
    await using first = await openServer();
    await using second = await openServer();
    // What a browser sends to either: cookies of one name replace each other.
    const jar = new Map<string, string>();
    const words: string[] = [];
    for (const server of [first, second]) {
      const { code } = await server.call('login/create', {});
      const answer = await rawRequest(`${server.url}/api/login-codes/exchange`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
      const [name = '', value = ''] = String(answer.headers['set-cookie']).split(';', 1)[0]?.split('=') ?? [];
      jar.set(name, value);
      words.push((answer.body as { readonly session: string }).session); // as the page reads it
    }
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    for (const [index, { url }] of [first, second].entries()) {
      const headers = { cookie, 'x-agent-relay-session': words[index] ?? '' };
      expect(codeOf((await rawRequest(`${url}/api/me`, { headers })).body)).toBe('owner');
    }
  });

  test('the cookie changes something only from our own page', async () => {
    await using server = await openServer({ corsOrigins: ['https://board.example'] });
    const browser = await server.browser();
    const send = (headers: Record<string, string>) =>
      rawRequest(`${server.url}/api/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...browser, ...headers },
        body: '{"to":"owner","body":"hello"}',
      });
    const answers = await Promise.all([
      send({}),
      send({ origin: server.url }),
      send({ origin: 'https://board.example' }),
      send({ origin: 'http://127.0.0.1:1' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 201, 403, 403]);
  });

  test('upgrades are guarded the same way', async () => {
    await using server = await openServer();
    const browser = await server.browser();
    const url = `${server.url.replace('http', 'ws')}/ws`;
    const attempt = async (headers: Record<string, string>, path = url) => {
      try {
        await using duplex = await connectWebSocket(path, { headers });
        return duplex ? 'open' : '';
      } catch (error) {
        return error instanceof RelayError ? error.code : String(error);
      }
    };
    expect(await attempt({})).toBe('open');
    expect(await attempt({ host: 'evil.example' })).toBe('misdirected_host');
    expect(await attempt({ origin: 'https://evil.example' })).toBe('forbidden_origin');
    expect(await attempt({ authorization: 'Bearer nonsense' })).toBe('unauthorized');
    expect(await attempt(browser)).toBe('forbidden_origin');
    expect(await attempt({ ...browser, origin: server.url })).toBe('open');
    expect(await attempt({}, url.replace('/ws', '/else'))).toBe('not_found');
  });

  test('a browser names itself on its socket with the word that belongs to the cookie of the upgrade', async () => {
    await using server = await openServer();
    const { cookie, 'x-agent-relay-session': word } = await server.browser();
    const headers = { cookie, origin: server.url };
    const open = async () => new JsonRpcPeer(await connectWebSocket(`${server.url.replace('http', 'ws')}/ws`, { headers }));
    const stranger = await open();
    await expect(stranger.request('agents/list', {})).rejects.toMatchObject({ code: 'unauthorized' });
    await expect(stranger.request('auth/authenticate', { session: 'guess' })).rejects.toMatchObject({ code: 'unauthorized' });
    const page = await open();
    expect(await page.request('auth/authenticate', { session: word })).toMatchObject({ type: 'owner' });
    await Promise.all([stranger.close(), page.close()]);
  });

  test('where a token is asked for on loopback too, nobody of this machine comes without one', async () => {
    await using server = await openServer({ requireToken: true });
    for (const [path, options] of [
      ['/api/me', {}],
      ['/api/messages', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"to":"owner","body":"hello"}' }],
      ['/api/events', {}],
      ['/metrics', {}],
      ['/mcp', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }],
    ] as const) {
      expect([path, codeOf((await rawRequest(server.url + path, options)).body)]).toEqual([path, 'unauthorized']);
    }
    const socket = new JsonRpcPeer(await connectWebSocket(`${server.url.replace('http', 'ws')}/ws`));
    await expect(socket.request('agents/list', {})).rejects.toMatchObject({ code: 'unauthorized' });
    await socket.close();
    expect(codeOf((await rawRequest(`${server.url}/api/me`, { headers: await server.browser() })).body)).toBe('owner');
  });
});
