import type { Task } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { poll } from './support/poll.ts';
import { agentRelay } from './support/run-command.ts';

const integration = { name: 'ops', token: 'ops-secret', callbackUrl: 'http://localhost:9/' };
const start = () => startTestRelay({ settings: { AGENT_RELAY_INTEGRATIONS: JSON.stringify([integration]) } });

async function report(relay: TestRelay): Promise<Task> {
  const response = await fetch(`${relay.url}/api/integrations/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${integration.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'disk full', target: 'id:Worker', dedupeKey: 'disk' }),
  });
  return ((await response.json()) as { task: Task }).task; // asserted by what follows
}

test('a task is listed, claimed, ended and looked back on from a terminal', async () => {
  await using relay = await start();
  expect(await agentRelay(relay, 'tasks')).toMatchObject({ code: 0, notes: 'No tasks.' });
  await relay.relay.handlers['agents/register'](
    { id: 'Worker', name: 'Worker' },
    { principal: { type: 'owner', workspace: 'default' }, signal: new AbortController().signal },
  );
  const { id } = await report(relay);
  expect((await agentRelay(relay, 'tasks', '--status', 'active')).out).toMatch(/open +ops +id:Worker +- +1× +disk full/u);
  expect((await agentRelay(relay, 'task', 'claim', String(id), '--agent', 'Worker')).out).toContain(`[task:${id}] held by Worker`);
  const ended = await agentRelay(relay, 'task', 'status', String(id), 'done', '--agent', 'Worker', '--result', 'cleaned up');
  expect(ended).toEqual({ code: 0, out: `[task:${id}] done: disk full`, notes: '' });
  expect((await agentRelay(relay, 'task', 'events', String(id))).out).toMatch(
    /task\.created by integration:ops \(open\)\n.*task\.claimed by Worker \(claimed\)\n.*task\.completed by Worker \(done\): cleaned up/u,
  );
  expect((await agentRelay(relay, 'task', 'status', String(id), 'claimed')).code).toBe(2);
  expect((await agentRelay(relay, 'task', 'claim', '999')).code).toBe(1);
});

test('cancelled is canceled, for who ends a task and for who looks for it, from a terminal and over HTTP', async () => {
  await using relay = await start();
  const { id } = await report(relay);
  expect((await agentRelay(relay, 'task', 'status', String(id), 'cancelled')).out).toBe(`[task:${id}] canceled: disk full`);
  expect((await agentRelay(relay, 'tasks', '--status', 'cancelled')).out).toContain('disk full');
  const headers = { authorization: `Bearer ${relay.ownerToken}`, 'content-type': 'application/json' };
  for (const status of ['cancelled', 'canceled']) {
    const response = await fetch(`${relay.url}/api/tasks?status=${status}`, { headers });
    expect(await response.json()).toMatchObject({ data: [{ id, status: 'canceled' }] });
  }
  const again = await report(relay);
  const change = { method: 'PATCH', headers, body: JSON.stringify({ status: 'cancelled' }) };
  expect(await (await fetch(`${relay.url}/api/tasks/${again.id}/status`, change)).json()).toMatchObject({ status: 'canceled' });
});

test('callbacks are listed with what went wrong, and sent again', async () => {
  await using relay = await start();
  await report(relay);
  await poll('an attempt', async () => (await agentRelay(relay, 'callbacks', '--status', 'pending')).out.includes('not public'));
  expect(await agentRelay(relay, 'callbacks', 'redeliver', '1')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Callback 1 (task.created of task'),
  });
  expect((await agentRelay(relay, 'callbacks', 'redeliver', '77')).code).toBe(1);
  expect((await agentRelay(relay, 'callbacks', '--status', 'lost')).code).toBe(2);
});
