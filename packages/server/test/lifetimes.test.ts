import { createNodeRelayClient } from 'agent-relay-client/node';
import { expect, test } from 'vitest';
import { startTestRelay } from '../src/testing.ts';
import { ManualClock } from './core/manual-clock.ts';

const DAY_MS = 86_400_000;

/** A relay with these settings, whose clock a test turns, and its owner. */
async function open(settings: Record<string, string>) {
  const clock = new ManualClock();
  const relay = await startTestRelay({ clock, settings: { REAP_INTERVAL_MS: String(DAY_MS), ...settings } });
  const client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  const after = async (ms: number) => {
    clock.advance(ms);
    await relay.relay.reap();
  };
  return {
    client,
    after,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await relay.close();
    },
  };
}

test('mail is kept for RETENTION_DAYS, tasks as long after their end', async () => {
  await using world = await open({ RETENTION_DAYS: '2', STALE_TTL_MS: String(30 * DAY_MS) });
  const { client } = world;
  const kept = async () => [
    (await client.messages.list({ to: 'id:a', claimable: false })).data.map(({ body }) => body),
    (await client.tasks.list({})).data.map(({ title }) => title),
  ];
  await client.agents.register({ id: 'a', name: 'a' });
  const { task } = await client.integrations.report({ title: 'disk', target: 'id:a', source: 'ops', dedupeKey: 'disk' });
  await client.messages.send({ to: 'id:a', body: 'old' });
  await world.after(DAY_MS);
  await client.messages.send({ to: 'id:a', body: 'young' });
  await client.tasks.status({ id: task?.id ?? 0, status: 'done' });
  await world.after(DAY_MS);
  expect(await kept()).toEqual([['old', 'young'], ['disk']]);
  await world.after(1);
  expect(await kept()).toEqual([['young'], ['disk']]);
  await world.after(DAY_MS);
  expect(await kept()).toEqual([[], []]);
});

test('an agent is offline after STALE_TTL_MS of silence and removed after OFFLINE_PRUNE_MS, system agents are not', async () => {
  await using world = await open({ STALE_TTL_MS: '9000000', OFFLINE_PRUNE_MS: '20000000' });
  const statuses = async () => (await world.client.agents.list({})).data.map(({ id, status }) => `${id} ${status}`).sort();
  await world.client.agents.register({ id: 'a', name: 'a' });
  await world.after(9_000_000);
  expect(await statuses()).toEqual(['a online', 'owner online', 'relay online']);
  await world.after(1);
  expect(await statuses()).toEqual(['a offline', 'owner online', 'relay online']);
  await world.after(10_999_999);
  expect(await statuses()).toEqual(['a offline', 'owner online', 'relay online']);
  await world.after(1);
  expect(await statuses()).toEqual(['owner online', 'relay online']);
});
