import { afterEach, expect, test } from 'vitest';
import { SessionDoor, type Upstream } from '../src/relay/session-door.ts';

const doors: SessionDoor[] = [];
afterEach(async () => {
  for (const door of doors.splice(0)) await door.close();
});

interface Seen {
  readonly url: string;
  readonly authorization: string | null;
  readonly body: string;
}

async function open(answer: (seen: Seen, count: number) => Response | Error | undefined, waitMs = 300) {
  const seen: Seen[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const asked = new Request(input, init);
    seen.push({ url: asked.url, authorization: asked.headers.get('authorization'), body: await asked.text() });
    const said = answer(seen[seen.length - 1] as Seen, seen.length); // it was pushed above
    if (said instanceof Error) throw said;
    return said ?? Response.json({ ok: true }, { headers: { 'x-relay-version': '9.9.9', 'set-cookie': 'a=b' } });
  };
  const upstream: Upstream = { url: 'http://relay.example', token: 'agent-token', fetch };
  const door = await SessionDoor.open({ upstream: () => upstream, waitMs });
  doors.push(door);
  const ask = (path: string, init: RequestInit & { readonly secret?: string } = {}) =>
    globalThis.fetch(`${door.url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${init.secret ?? door.secret}`, ...(init.headers as Record<string, string>) }, // given here as an object
    });
  return { door, seen, ask };
}

const refused = new TypeError('fetch failed', { cause: Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) });
const lost = new TypeError('fetch failed', { cause: Object.assign(new Error('cut'), { code: 'ECONNRESET' }) });
const message = { method: 'POST', body: JSON.stringify({ to: 'a', body: 'b' }) };

test('a request goes on as the agent, and the relay’s answer comes back with its version and no cookie', async () => {
  const { ask, seen } = await open(() => undefined);
  const answer = await ask('/api/agents?limit=1');
  expect([answer.status, await answer.json(), answer.headers.get('x-relay-version'), answer.headers.get('set-cookie')]).toEqual([
    200,
    { ok: true },
    '9.9.9',
    null,
  ]);
  expect(seen).toEqual([{ url: 'http://relay.example/api/agents?limit=1', authorization: 'Bearer agent-token', body: '' }]);
});

test.each([
  ['another secret', '/api/agents', { secret: 'x'.repeat(43) }, 401, 'unauthorized'],
  ['a page of a browser', '/api/agents', { headers: { origin: 'http://evil.example' } }, 403, 'forbidden'],
  ['what is no part of the API', '/login', {}, 404, 'not_found'],
] as const)('%s gets no further', async (_what, path, init, status, code) => {
  const { ask, seen } = await open(() => undefined);
  const answer = await ask(path, init);
  expect([answer.status, await answer.json()]).toMatchObject([status, { error: { code } }]);
  expect(seen).toEqual([]);
});

test('a message whose answer was lost is asked again under one key; what only the relay could know again is not', async () => {
  const { ask, seen } = await open((_seen, count) => (count <= 2 ? lost : undefined));
  expect((await ask('/api/messages', message)).status).toBe(200);
  const keys = seen.map(({ body }) => JSON.parse(body).idempotencyKey);
  expect(keys).toEqual([expect.stringMatching(/./u), keys[0], keys[0]]);
  const other = await open(() => lost);
  const answer = await other.ask('/api/pairs', message);
  expect([answer.status, await answer.json()]).toMatchObject([
    503,
    { error: { code: 'connection_closed', message: expect.stringContaining('not known') } },
  ]);
  expect(other.seen).toHaveLength(1);
});

test('a relay that is away is waited for, and one that stays away is said to be', async () => {
  const { ask, seen } = await open((_seen, count) => (count === 1 ? refused : undefined));
  expect((await ask('/api/pairs', message)).status).toBe(200);
  expect(seen).toHaveLength(2);
  const never = await open(() => refused);
  expect(await (await never.ask('/api/messages', message)).json()).toMatchObject({
    error: { message: 'The relay is away. This was not done' },
  });
});
