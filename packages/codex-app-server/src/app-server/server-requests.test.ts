import { expect, test } from 'vitest';
import { ServerRequests } from './server-requests.ts';

const context = { id: 0, method: 'item/commandExecution/requestApproval' };

test('a request that is repeated after a reconnect is handed over once and gets the same answer', async () => {
  const requests = new ServerRequests();
  let asked = 0;
  const answer = async () => ({ decision: 'decline', asked: ++asked });
  const params = { threadId: 't', itemId: 'i' };
  const first = requests.answer(context, params, answer);
  expect(await requests.answer(context, params, answer)).toEqual({ decision: 'decline', asked: 1 });
  expect(await first).toEqual({ decision: 'decline', asked: 1 });
});

test('the same id about something else is another question', async () => {
  const requests = new ServerRequests();
  let asked = 0;
  const answer = () => ++asked;
  await requests.answer(context, { threadId: 't', itemId: 'i' }, answer);
  expect(await requests.answer(context, { threadId: 't', itemId: 'j' }, answer)).toBe(2);
});

test('what somebody else answered is aborted', async () => {
  const requests = new ServerRequests();
  const aborted = new Promise((resolve) => {
    void requests.answer(context, { threadId: 't' }, ({ signal }) => signal.addEventListener('abort', () => resolve(signal.reason)));
  });
  await Promise.resolve();
  requests.resolved({ method: 'serverRequest/resolved', params: { threadId: 't', requestId: 0 } });
  expect(await aborted).toMatchObject({ code: 'gone' });
});
