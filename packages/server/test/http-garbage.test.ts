import { routeNames, routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { OWNER_TOKEN, openServer } from './support/open-server.ts';
import { rawBytes, rawRequest } from './support/raw-http.ts';
import { pick, seeded } from './support/seeded.ts';

const values = ['null', '1', '-1', '1e308', '1.5', '"x"', '""', '[]', '{}', '[[1]]', 'true', '"\\ud800"', '"\\u0000"', '9007199254740993'];
const fields = [
  'id',
  'name',
  'to',
  'body',
  'from',
  'agentId',
  'claimId',
  'epoch',
  'meta',
  'waitFor',
  'reports',
  'ids',
  'label',
  '__proto__',
  'x',
];
const segments = ['owner', '1', '0', '-1', '%00', '%2e%2e', 'a b', '💥', 'x'.repeat(500), '__proto__', '99999999999999999999', ''];
const headers: Record<string, string>[] = [
  {},
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=latin1' },
  { authorization: 'Bearer' },
  { authorization: `Bearer ${'x'.repeat(9_000)}` },
  { cookie: 'agent_relay_session=; agent_relay_session==' },
  { origin: 'http://[' },
  { host: ':::' },
  { 'last-event-id': '-7' },
  { 'x-forwarded-for': 'x' },
];

test('seeded requests to every route: never a 5xx, always the one error body', async () => {
  await using server = await openServer();
  const random = seeded(4_850);
  const asOwner = { authorization: `Bearer ${OWNER_TOKEN}`, 'content-type': 'application/json' };
  // What waits for a machine, or for mail, is slow by intent.
  const names = routeNames.filter((name) => name !== 'sessions/start');
  for (let count = 0; count < 1_500; count += 1) {
    const { method, path } = routes[pick(random, names)];
    const filled = path.replace(/:\w+/gu, () => encodeURI(pick(random, segments)));
    const body = Array.from({ length: Math.floor(random() * 5) }, () => `"${pick(random, fields)}":${pick(random, values)}`).join(',');
    const query = random() < 0.3 ? `?${pick(random, fields)}=${encodeURIComponent(pick(random, values))}` : '';
    const text = random() < 0.9 ? `{${body}}` : `{${body}`.slice(0, Math.floor(random() * 40));
    const hasBody = method !== 'GET';
    const answer = await rawRequest(`${server.url}/api${filled}${query}`, {
      method: random() < 0.1 ? pick(random, ['PUT', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND']) : method,
      headers: {
        ...(random() < 0.8 ? asOwner : {}),
        ...(random() < 0.2 ? pick(random, headers) : {}),
        // Node's client frames the body of an unusual method only when it is told its length.
        ...(hasBody ? { 'content-length': String(Buffer.byteLength(text)) } : {}),
      },
      ...(hasBody ? { body: text } : {}),
    });
    expect([answer.status < 500, method, filled, body]).toEqual([true, method, filled, body]);
    if (answer.status >= 400 && answer.text !== '')
      expect(answer.body).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
  }
  expect(server.logged).toEqual([]);
});

test('seeded bytes that are hardly HTTP: the server goes on', async () => {
  await using server = await openServer();
  const random = seeded(421);
  const good = `POST /api/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 24\r\nconnection: close\r\n\r\n{"to":"owner","body":"x"}`;
  for (let count = 0; count < 150; count += 1) {
    const bytes = Buffer.from(good);
    for (let flips = 0; flips < 6; flips += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const answer = await rawBytes(server.port, bytes, 100);
    expect(answer).not.toMatch(/^HTTP\/1\.1 5/u);
  }
  const upgrade = 'GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 1\r\n\r\n';
  expect(await rawBytes(server.port, upgrade)).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"validation_failed"/u);
  expect((await rawRequest(`${server.url}/api/health`)).status).toBe(200);
  expect(server.logged).toEqual([]);
});
