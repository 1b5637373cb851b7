import { expect, test } from 'vitest';
import { host } from './hosted.ts';
import { agentOf, anonymous, anotherTurn, nodeOf, until, World } from './world.ts';

const asNode = (world: World) => world.as(nodeOf('laptop'));

async function withHosted(world: World) {
  await host(world, 'a', { nodeId: 'laptop', sessionId: 's-1' });
}
const say = (world: World, messageId: number, state: 'dispatched' | 'delivered' | 'seen' | 'answered' | 'failed', more: object = {}) =>
  world.call['deliveries/report']({ id: 'a', reports: [{ messageId, state, ...more }] }, asNode(world));

test('states move forward only, and each names its evidence', async () => {
  await using world = await World.open();
  await withHosted(world);
  const { id } = await world.send('cron', 'a');
  expect(await say(world, id, 'dispatched')).toEqual({ applied: [id] });
  expect(await say(world, id, 'delivered', { evidence: 'echo' })).toEqual({ applied: [id] });
  expect(await world.receipt(id, 'a')).toBe('delivered echo');
  expect(await say(world, id, 'seen', { evidence: 'turn' })).toEqual({ applied: [id] });
  expect(await say(world, id, 'delivered', { evidence: 'accepted' })).toEqual({ applied: [] });
  expect(await say(world, id, 'dispatched')).toEqual({ applied: [] });
  expect(await say(world, id, 'failed', { reason: 'too late' })).toEqual({ applied: [] });
  expect(await world.receipt(id, 'a')).toBe('seen turn');
  const told = (await world.events(id)).filter(({ type }) => type.startsWith('delivery.'));
  expect(told.map(({ type }) => type)).toEqual(['delivery.dispatched', 'delivery.delivered', 'delivery.seen']);
});

test('seen implies delivered: a step may be passed over', async () => {
  await using world = await World.open();
  await withHosted(world);
  const { id } = await world.send('cron', 'a');
  await say(world, id, 'seen', { evidence: 'turn' });
  const sent = await world.call['messages/deliveries']({ id }, world.as(anonymous));
  expect(sent.data).toMatchObject([{ state: 'seen', evidence: 'turn' }]);
});

test('a confirmation without evidence is refused, and so is a failure without a reason', async () => {
  await using world = await World.open();
  await withHosted(world);
  const { id } = await world.send('cron', 'a');
  await expect(say(world, id, 'delivered')).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'reports.0.evidence' }] });
  await expect(say(world, id, 'failed')).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'reports.0.reason' }] });
  expect(await world.receipt(id, 'a')).toBe('queued');
});

test('a late confirmation overrides a failure and is marked late', async () => {
  await using world = await World.open();
  await withHosted(world);
  const { id } = await world.send('cron', 'a');
  await say(world, id, 'failed', { reason: 'the runtime refused it' });
  expect(await world.receipt(id, 'a')).toBe('failed');
  await say(world, id, 'delivered', { evidence: 'echo' });
  expect(await world.receipt(id, 'a')).toBe('delivered echo late');
});

test('marking read implies delivered, is per agent, and is told', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  await world.register('b', { tags: ['x'] });
  const { id } = await world.send('cron', 'tag:x');
  const read = await world.call['messages/read']({ id, agentId: 'a' }, world.as(anonymous));
  expect(read.readBy).toEqual(['a']);
  expect(await world.receipt(id, 'a')).toBe('delivered ack');
  expect(await world.receipt(id, 'b')).toBe('queued');
  expect((await world.types(id)).sort()).toEqual(['delivery.delivered', 'message.read']);
  const list = async (agent: string) =>
    (await world.call['messages/list']({ for: agent, unread: true }, world.as(anonymous))).data.map((message) => message.id);
  expect(await list('a')).toEqual([]);
  expect(await list('b')).toEqual([id]);
  expect(await world.poll('a')).toEqual([]);
});

test('a message is marked read only by one it is for', async () => {
  await using world = await World.open();
  await world.register('a');
  await world.register('b');
  const { id } = await world.send('cron', 'a');
  await expect(world.call['messages/read']({ id, agentId: 'b' }, world.as(anonymous))).rejects.toMatchObject({ code: 'forbidden_target' });
});

test('a reply answers the message it replies to, goes to its sender and stays in its thread', async () => {
  await using world = await World.open();
  await world.register('a');
  const first = await world.send('boss', 'a');
  const reply = await world.call['messages/send']({ from: 'a', body: 'done', replyTo: first.id }, world.as(anonymous));
  expect(reply).toMatchObject({ to: 'id:boss', threadId: first.id, replyTo: first.id });
  expect(await world.receipt(first.id, 'a')).toBe('answered reply');
  expect(await world.poll('a')).toEqual([]);
  const second = await world.call['messages/send']({ from: 'boss', to: 'a', body: 'thanks', replyTo: reply.id }, world.as(anonymous));
  const thread = await world.call['messages/thread']({ id: second.id }, world.as(anonymous));
  expect(thread.data.map(({ id }) => id)).toEqual([first.id, reply.id, second.id]);
});

test('somebody else’s reply answers nothing', async () => {
  await using world = await World.open();
  await world.register('a');
  const { id } = await world.send('boss', 'a');
  await world.call['messages/send']({ from: 'b', body: 'me too', replyTo: id }, world.as(anonymous));
  expect(await world.receipt(id, 'a')).toBe('queued');
  await expect(world.call['messages/send']({ from: 'b', body: 'x', replyTo: 9_999 }, world.as(anonymous))).rejects.toMatchObject({
    code: 'not_found',
  });
});

test('waitFor waits for all recipients, or any, and says what it saw', async () => {
  await using world = await World.open();
  await world.register('a', { tags: ['x'] });
  await world.register('b', { tags: ['x'] });
  let any: unknown = null;
  let all: unknown = null;
  const anySent = world.send('cron', 'tag:x', 'one', { waitFor: { state: 'delivered', scope: 'any' } }).then((sent) => {
    any = sent.waited;
    return sent;
  });
  const allSent = world.send('cron', 'tag:x', 'two', { waitFor: { state: 'delivered' } }).then((sent) => {
    all = sent.waited;
  });
  let ids: number[] = [];
  await until(async () => {
    ids = await world.poll('a');
    return ids.length === 2;
  });
  await world.ack('a', ...ids);
  await anySent;
  await anotherTurn();
  expect(any).toMatchObject({ reached: true });
  expect(all).toBe(null);
  await world.ack('b', ...ids);
  await allSent;
  expect(all).toMatchObject({ reached: true, deliveries: [{ state: 'delivered' }, { state: 'delivered' }] });
});

test('running out of time is no error, and with nobody to wait for nothing is waited for', async () => {
  await using world = await World.open();
  await world.register('a');
  const sending = world.send('cron', 'a', 'x', { waitFor: { state: 'seen', timeoutMs: 5_000 } });
  await until(() => world.head > 3);
  await anotherTurn();
  world.clock.advance(5_000);
  expect((await sending).waited).toMatchObject({ reached: false, deliveries: [{ state: 'queued' }] });
  expect((await world.send('cron', 'tag:nobody', 'x', { waitFor: { state: 'seen' } })).waited).toEqual({ reached: false, deliveries: [] });
});

test('equal receipts of one turn share a row, and a reader in the middle of it gets the rest', async () => {
  await using world = await World.open();
  await world.register('a');
  const sent = await Promise.all(Array.from({ length: 5 }, () => world.send('cron', 'a')));
  const ids = sent.map(({ id }) => id);
  const before = world.head;
  await world.ack('a', ...ids);
  expect(world.head).toBe(before + 5);
  await world.restart();
  const told = await world.events(before);
  expect(told.map((event) => [event.seq, 'messageId' in event && event.messageId])).toEqual(
    ids.map((id, index) => [before + 1 + index, id]),
  );
  expect((await world.events(before + 3)).map(({ seq }) => seq)).toEqual([before + 4, before + 5]);
});

test('messages are listed by where a copy stands, of any recipient or of one; an agent is told of its own copies and of its own mail', async () => {
  await using world = await World.open();
  await withHosted(world);
  await world.register('b');
  const failed = await world.send('b', 'a');
  const seen = await world.send('cron', 'a');
  await world.send('cron', 'a');
  await say(world, failed.id, 'failed', { reason: 'the runtime refused it' });
  await say(world, seen.id, 'seen', { evidence: 'turn' });
  const list = async (query: object, who = anonymous) =>
    (await world.call['messages/list'](query, world.as(who))).data.map((message) => message.id);
  expect(await list({ state: 'failed' })).toEqual([failed.id]);
  expect(await list({ state: 'seen', for: 'a' })).toEqual([seen.id]);
  expect(await list({ state: 'seen', for: 'b' })).toEqual([]);
  expect(await list({ state: 'expired' })).toEqual([]);
  const toAll = await world.send('cron', 'broadcast');
  await say(world, toAll.id, 'seen', { evidence: 'turn' });
  expect(await list({ state: 'seen' }, agentOf('a'))).toEqual([seen.id, toAll.id]);
  expect(await list({ state: 'seen' }, agentOf('b'))).toEqual([]);
  expect(await list({ state: 'failed' }, agentOf('b'))).toEqual([failed.id]);
});
