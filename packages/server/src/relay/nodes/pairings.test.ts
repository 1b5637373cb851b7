import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { Pairings } from './pairings.ts';

const MINUTE_MS = 60_000;
const asked = { name: 'laptop', version: '1' };

function open() {
  const clock = { at: 1_000_000, now: () => clock.at };
  const pairings = new Pairings(clock);
  const from = (address: string) => pairings.request(asked, address);
  const admission = { token: 'the token', nodeId: 'machine-1', name: 'laptop' };
  const accept = (code: string) => pairings.accept(code, async () => ({ admission }));
  return { clock, pairings, from, accept, admission };
}

const codeOf = (deed: () => unknown): string => {
  try {
    deed();
    return 'none';
  } catch (error) {
    if (error instanceof RelayError) return error.code;
    throw error;
  }
};
const laterCodeOf = (deed: Promise<unknown>): Promise<string> =>
  deed.then(
    () => 'none',
    (error: unknown) => (error instanceof RelayError ? error.code : 'a bug'),
  );

test('what was accepted is told to the secret alone, again and again, until its token is used', async () => {
  const { pairings, from, accept, admission } = open();
  const { code, secret } = from('10.0.0.1');
  const { secret: another } = from('10.0.0.1');
  expect(pairings.outcome(secret)).toEqual({ status: 'pending', pollMs: 2_000 });
  await accept(code.toLowerCase().replace('-', ' '));
  for (let time = 0; time < 2; time += 1) expect(pairings.outcome(secret)).toEqual({ status: 'accepted', ...admission });
  expect(pairings.outcome(another)).toMatchObject({ status: 'pending' });
  expect(codeOf(() => pairings.outcome(code))).toBe('not_found');
  pairings.forget('machine-1');
  expect(codeOf(() => pairings.outcome(secret))).toBe('not_found');
});

test('a code is good for one machine, once, and for ten minutes', async () => {
  const { clock, pairings, from, accept } = open();
  const first = from('10.0.0.1');
  const racing = [accept(first.code), accept(first.code)];
  expect((await Promise.all(racing.map(laterCodeOf))).sort()).toEqual(['none', 'not_found']);
  const second = from('10.0.0.1');
  clock.at += 10 * MINUTE_MS;
  expect(pairings.pending()).toEqual([]);
  expect(await laterCodeOf(accept(second.code))).toBe('not_found');
  expect(codeOf(() => pairings.outcome(second.secret))).toBe('not_found');
});

test('a machine that was accepted in the last second has a minute to fetch its token', async () => {
  const { clock, pairings, from, accept } = open();
  const { code, secret } = from('10.0.0.1');
  clock.at += 10 * MINUTE_MS - 1;
  pairings.outcome(secret);
  await accept(code);
  clock.at += MINUTE_MS - 1;
  expect(pairings.outcome(secret)).toMatchObject({ status: 'accepted' });
  clock.at += 1;
  expect(codeOf(() => pairings.outcome(secret))).toBe('not_found');
});

test('a machine that asks no longer is neither listed nor let in, until it asks again', async () => {
  const { clock, pairings, from, accept } = open();
  const { code, secret } = from('10.0.0.1');
  clock.at += MINUTE_MS / 2;
  expect(pairings.pending()).toEqual([]);
  await expect(accept(code)).rejects.toThrow('laptop showed this code and asks no longer');
  pairings.outcome(secret);
  expect(pairings.pending()).toMatchObject([{ code }]);
  await accept(code);
});

test('a machine whose admission could not be written waits on', async () => {
  const { pairings, from, accept } = open();
  const { code, secret } = from('10.0.0.1');
  const failing = pairings.accept(code, () => Promise.reject(new RelayError('store_unavailable', 'full')));
  expect(await laterCodeOf(failing)).toBe('store_unavailable');
  expect(pairings.outcome(secret)).toMatchObject({ status: 'pending' });
  expect(await laterCodeOf(accept(code))).toBe('none');
});

test('a flood from one network keeps itself out and nobody else', () => {
  const { pairings, from } = open();
  for (let index = 0; index < 4; index += 1) from(`2001:db8::${index}`);
  for (let index = 0; index < 100; index += 1) expect(codeOf(() => from(`2001:db8::1:${index}`))).toBe('rate_limited');
  expect(codeOf(() => from('10.0.0.1'))).toBe('none');
  expect(pairings.pending()).toHaveLength(5);
});

test('thirty-two wait at most, and whoever stopped asking makes room', () => {
  const { clock, pairings, from } = open();
  const waiting = Array.from({ length: 32 }, (_, index) => from(`10.0.0.${index}`));
  expect(pairings.pending()).toHaveLength(32);
  expect(codeOf(() => from('10.0.1.1'))).toBe('rate_limited');
  clock.at += 30_000;
  const [first, ...others] = waiting;
  pairings.outcome(first?.secret ?? '');
  expect(codeOf(() => from('10.0.1.1'))).toBe('none');
  // Two of them still ask; who asks again is listed again, but for the one that made room.
  expect(pairings.pending()).toHaveLength(2);
  const gone = others.filter(({ secret }) => codeOf(() => pairings.outcome(secret)) === 'not_found');
  expect([gone.length, pairings.pending().length]).toEqual([1, 32]);
  expect(pairings.outcome(first?.secret ?? '')).toMatchObject({ status: 'pending' });
});

test('wrong secrets and wrong codes are too many at some time, and keep out nobody who has the right one', async () => {
  const { pairings, from, accept } = open();
  const { code, secret } = from('10.0.0.1');
  const secrets = Array.from({ length: 30 }, (_, index) => codeOf(() => pairings.outcome(`guess ${index}`)));
  expect(new Set(secrets)).toEqual(new Set(['not_found', 'rate_limited']));
  const codes = await Promise.all(Array.from({ length: 30 }, () => laterCodeOf(accept('2222-2222'))));
  expect(new Set(codes)).toEqual(new Set(['not_found', 'rate_limited']));
  expect(await laterCodeOf(accept(code))).toBe('none');
  expect(pairings.outcome(secret)).toMatchObject({ status: 'accepted' });
});
