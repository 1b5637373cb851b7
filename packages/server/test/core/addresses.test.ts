import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { anonymous, codeOf, World } from './world.ts';

test('a bare word is an exact id before it is a name or a label', async () => {
  await using world = await World.open();
  await world.register('codex');
  await world.register('other', { name: 'codex' });
  expect((await world.send('cron', 'codex')).to).toBe('id:codex');
});

test('a bare word is the only agent of that name or label', async () => {
  await using world = await World.open();
  await world.register('a-1', { name: 'Reviewer' });
  await world.register('a-2', { label: 'backend fixer' });
  expect((await world.send('cron', 'Reviewer')).to).toBe('id:a-1');
  expect((await world.send('cron', 'backend fixer')).to).toBe('id:a-2');
});

test('a bare word that several agents have is refused with the candidates', async () => {
  await using world = await World.open();
  await world.register('a-1', { name: 'codex' });
  await world.register('a-2', { label: 'codex' });
  const refusal = await world.send('cron', 'codex').catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'ambiguous_target', httpStatus: 409, details: { candidates: ['id:a-1', 'id:a-2'] } });
  expect(refusal).toBeInstanceOf(RelayError);
});

test('a bare word that nobody has for an id, a name or a label is the only agent of that kind that is there, but for the sender', async () => {
  await using world = await World.open();
  await world.register('a-1', { provider: 'codex' });
  await world.register('a-2', { provider: 'codex', status: 'offline' });
  expect((await world.send('cron', 'codex')).to).toBe('id:a-1');
  expect(await codeOf(world.send('a-1', 'codex'))).toBe('not_found');
  await world.register('a-3', { provider: 'codex' });
  expect((await world.send('a-1', 'codex')).to).toBe('id:a-3');
  await expect(world.send('cron', 'codex')).rejects.toMatchObject({ details: { candidates: ['id:a-1', 'id:a-3'] } });
  await world.register('a-4', { label: 'codex' });
  expect((await world.send('cron', 'codex')).to).toBe('id:a-4');
});

test('a typo never queues for ever, id: alone stores for an agent not yet known', async () => {
  await using world = await World.open();
  expect(await codeOf(world.send('cron', 'Wroker'))).toBe('not_found');
  const early = await world.send('cron', 'id:Worker');
  expect(early.matched).toBe(0);
  await world.register('Worker');
  expect(await world.poll('Worker')).toEqual([early.id]);
});

test('an address nobody understands is refused by its field', async () => {
  await using world = await World.open();
  await expect(world.send('cron', 'team:x')).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'to' }] });
});

test('the name is the id of an agent that gives none', async () => {
  await using world = await World.open();
  const { id } = await world.call['agents/register']({ name: 'Worker' }, world.as(anonymous));
  expect(id).toBe('Worker');
  expect(await codeOf(() => world.call['agents/register']({ name: 'no id' }, world.as(anonymous)))).toBe('validation_failed');
});

test('every kind of group reaches its members and says how many; zero is said', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['backend'], capabilities: ['review'], label: 'fixer', machine: 'mac', channels: ['deploy'] });
  await world.register('b', { tags: ['backend'], channels: [] });
  const matched = async (to: string) => (await world.send('cron', to)).matched;
  expect(await matched('tag:backend')).toBe(2);
  expect(await matched('cap:review')).toBe(1);
  expect(await matched('label:fixer')).toBe(1);
  expect(await matched('machine:mac')).toBe(1);
  expect(await matched('#deploy')).toBe(1);
  expect(await matched('channel:other')).toBe(0);
  expect(await matched('broadcast')).toBe(2);
  expect(await matched('tag:nobody')).toBe(0);
});

test('the sender is not in its own fan-out, but may write to itself', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  await world.register('b', { tags: ['x'] });
  expect((await world.send('a', 'tag:x')).matched).toBe(1);
  const note = await world.send('a', 'a');
  expect(await world.poll('a')).toEqual([note.id]);
});

test('channel subscriptions filter fan-out, never direct mail', async () => {
  await using world = await World.open();
  await world.register('all');
  await world.register('deploys', { channels: ['deploy'] });
  await world.register('none', { channels: [] });
  const alert = await world.send('cron', 'broadcast', 'x', { channel: 'alerts' });
  expect(alert.matched).toBe(1);
  const direct = await world.send('cron', 'none', 'x', { channel: 'alerts' });
  expect(await world.poll('none')).toEqual([direct.id]);
  expect(await world.poll('deploys')).toEqual([]);
  expect(await world.poll('all')).toEqual([alert.id]);
});

test('a message to a channel carries the channel', async () => {
  await using world = await World.open();
  expect(await world.send('cron', '#deploy')).toMatchObject({ to: 'channel:deploy', channel: 'deploy' });
});
