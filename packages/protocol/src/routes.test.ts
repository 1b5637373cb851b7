import { expect, test } from 'vitest';
import type { z } from 'zod';
import { MAX_PAGE_SIZE } from './limits.ts';
import { PageLimitSchema } from './primitives.ts';
import { routes } from './resources.ts';
import { routeNames, waitMsOf } from './routes.ts';
import { longestToolWaitMs, toolWaitMsOf } from './tool-waits.ts';

test.each([
  ['inbox/list', { id: 'a', waitMs: 25_000 }, 25_000],
  ['inbox/list', { id: 'a' }, 0],
  ['messages/send', { to: 'a', body: 'b', waitFor: { state: 'seen', timeoutMs: 5 } }, 5],
  ['messages/send', { to: 'a', body: 'b', waitFor: { state: 'seen' } }, 30_000],
  ['messages/send', { to: 'a', body: 'b', waitFor: null }, 0],
  ['messages/send', { to: 'a', body: 'b' }, 0],
  ['inbox/list', { id: 'a', waitMs: 'long' }, 0],
  ['sessions/start', { name: 'a', provider: 'claude' }, 120_000],
  ['agents/release', { id: 'a' }, 60_000],
  ['agents/remove', { id: 'a' }, 60_000],
  ['agents/interrupt', { id: 'a' }, 20_000],
  ['approvals/resolve', { id: 'a', approvalId: 'q' }, 40_000],
  ['rules/create', { agentId: 'a', approvalId: 'q' }, 40_000],
  ['rules/create', { agentId: 'a' }, 0],
  ['hooks/test', { name: 'h' }, 65_000],
  ['agents/register', { name: 'a', provider: 'claude' }, 0],
] as const)('%s %j may be kept waiting for %i ms', (name, request, waitMs) => {
  expect(waitMsOf(name, request)).toBe(waitMs);
});

test.each([
  ['relay_send', { to: 'a', body: 'b', waitForAnswerMs: 5 }, 5],
  ['relay_send', { to: 'a', body: 'b' }, 0],
  ['relay_inbox', { waitMs: 49_000 }, 49_000],
  ['relay_spawn', {}, 120_000],
  ['relay_release', null, 60_000],
  ['relay_interrupt', {}, 20_000],
  ['toString', {}, 0],
] as const)('the tool %s called with %j may be kept waiting for %i ms', (name, input, waitMs) => {
  expect(toolWaitMsOf(name, input)).toBe(waitMs);
  expect(longestToolWaitMs()).toBeGreaterThanOrEqual(waitMs);
});

test('what a route is about is `id` in its path; a second name there says what it is', () => {
  for (const name of routeNames) {
    const [first, ...others] = [...routes[name].path.matchAll(/:(\w+)/gu)].map(([, key]) => key);
    expect([name, first ?? 'id', others.filter((key) => !key?.endsWith('Id'))]).toEqual([name, 'id', []]);
  }
});

/** Which lengths of a page a list takes. */
const lengthsOf = (shape: object) => {
  const { limit } = shape as { readonly limit?: z.ZodType }; // a shape has schemas
  return [undefined, 0, 1, MAX_PAGE_SIZE, MAX_PAGE_SIZE + 1].map((length) => limit?.safeParse(length).success);
};

test('every list is paged in one way: `limit`, and `after` or `before` for the cursor that it answers', () => {
  const lists = routeNames.filter((name) => 'data' in ('shape' in routes[name].output ? routes[name].output.shape : {}));
  expect(lists.length).toBeGreaterThan(15);
  for (const name of lists) {
    const asked = routes[name].input.shape;
    const answered = 'shape' in routes[name].output ? routes[name].output.shape : {};
    expect([name, 'after' in asked || 'before' in asked]).toEqual([name, true]);
    expect([name, Object.keys(answered)]).toEqual([name, expect.arrayContaining(['data', 'cursor', 'nextCursor'])]);
    expect([name, lengthsOf(asked)]).toEqual([name, lengthsOf({ limit: PageLimitSchema })]);
  }
});
