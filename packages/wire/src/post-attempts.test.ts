import { expect, test } from 'vitest';
import { askedWaitMs, fateOfPost, type PostAttempt, type PostPolicy, postFault, postUntilSettled } from './post-attempts.ts';

const policy: PostPolicy = {
  firstDelayMs: 1_000,
  longestDelayMs: 3_600_000,
  longestAskedMs: 1_000_000,
  attemptsAt: (status) => ({ 410: 1, 422: 5 })[status] ?? Number.POSITIVE_INFINITY,
};

const fate = (status: number | null, more: Partial<PostAttempt> = {}) =>
  fateOfPost(policy, { status, attempts: 1, deadlineAt: 1e12, now: 0, chance: 0, ...more });

test('the delay doubles from the first to the longest, and chance shortens it by up to half', () => {
  const delay = (attempts: number, chance: number) => (fate(503, { attempts, chance }).nextAttemptAt ?? 0) / 1000;
  expect([1, 2, 3, 12, 13, 100].map((attempts) => delay(attempts, 0))).toEqual([1, 2, 4, 2048, 3600, 3600]);
  expect([delay(3, 0.5), delay(3, 1)]).toEqual([3, 2]);
});

test('there is no attempt after the deadline', () => {
  expect(fate(null, { deadlineAt: 1_000 })).toEqual({ status: 'pending', nextAttemptAt: 1_000 });
  expect(fate(null, { deadlineAt: 999 })).toEqual({ status: 'dead', nextAttemptAt: null, cause: 'deadline' });
});

test('what the other side asks to wait for is waited for, never longer than allowed and never beyond the deadline', () => {
  expect(fate(429, { retryAfter: '120' })).toEqual({ status: 'pending', nextAttemptAt: 120_000 });
  expect(fate(503, { retryAfter: new Date(90_000).toUTCString() })).toEqual({ status: 'pending', nextAttemptAt: 90_000 });
  expect(fate(503, { retryAfter: '999999999' })).toEqual({ status: 'pending', nextAttemptAt: 1_000_000 });
  expect(fate(503, { retryAfter: '500', deadlineAt: 400_000 })).toEqual({ status: 'pending', nextAttemptAt: 400_000 });
  expect(['0', '-5', 'soon', 'Mon', '', undefined].map((retryAfter) => askedWaitMs(policy, retryAfter, 0))).toEqual(Array(6).fill(0));
  expect(askedWaitMs(policy, '9'.repeat(400), 0)).toBe(1_000_000);
});

test('a status ends a post with the last attempt that it allows, and 2xx delivers it', () => {
  expect(fate(410)).toEqual({ status: 'dead', nextAttemptAt: null, cause: 'refused' });
  expect([fate(422, { attempts: 4 }).status, fate(422, { attempts: 5 }).status]).toEqual(['pending', 'dead']);
  expect([null, 302, 503].map((status) => fate(status, { attempts: 50 }).status)).toEqual(Array(3).fill('pending'));
  expect([199, 200, 204, 299, 300].map((status) => fate(status).status)).toEqual([
    'pending',
    'delivered',
    'delivered',
    'delivered',
    'pending',
  ]);
});

test('a redirect says that nobody follows it', () => {
  expect([302, 500].map(postFault)).toEqual(['It answered 302: redirects are not followed', 'It answered 500']);
});

test('a post that nobody keeps is tried again until its fate is known, and no more once nobody waits', async () => {
  const quick = { policy: { ...policy, firstDelayMs: 1 }, lifetimeMs: 60_000, now: () => Date.now(), chance: () => 0 };
  const answers = [{ status: null }, { status: 503 }, { status: 204 }];
  const again: unknown[] = [];
  const settled = await postUntilSettled(async () => answers.shift() ?? { status: 500 }, {
    ...quick,
    signal: new AbortController().signal,
    onAgain: ({ status }) => again.push(status),
  });
  expect([settled, again]).toEqual([{ answer: { status: 204 }, fate: { status: 'delivered', nextAttemptAt: null } }, [null, 503]]);
  const over = new AbortController();
  let count = 0;
  const ended = postUntilSettled(
    async () => {
      count += 1;
      over.abort();
      return { status: 503 };
    },
    { ...quick, signal: over.signal },
  );
  expect([(await ended).fate.status, count]).toEqual(['pending', 1]);
});
