import { expect, test } from 'vitest';
import { deliveryOf } from './is-mail.ts';

const mail = { messageIds: [1] };
const own = { messageIds: [] };

test('context that mail brings gets a turn of its own where mail may do less than a person', () => {
  const of = (approval: 'open' | 'guarded' | 'read-only', mode: 'safe' | 'agentic' = 'agentic') =>
    deliveryOf(mail, 'fyi', { mode, approval });
  expect([of('guarded'), of('read-only'), of('open'), of('guarded', 'safe')]).toEqual(['next', 'next', 'fyi', 'fyi']);
  expect(deliveryOf(own, 'fyi', { mode: 'agentic', approval: 'guarded' })).toBe('fyi');
  expect(deliveryOf(mail, 'now', { mode: 'agentic', approval: 'guarded' })).toBe('now');
});
