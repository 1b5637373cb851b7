import { LISTED_READERS } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { host } from './hosted.ts';
import { agentOf, anonymous, codeOf, nodeOf, owner, World } from './world.ts';

test('the same idempotency key and content answers the first message; other content is refused', async () => {
  await using world = await World.open();
  await world.register('a');
  const first = await world.send('cron', 'a', 'once', { idempotencyKey: 'k' });
  const again = await world.send('cron', 'a', 'once', { idempotencyKey: 'k' });
  expect(again).toEqual({ ...first, duplicate: true });
  expect(await codeOf(world.send('cron', 'a', 'twice', { idempotencyKey: 'k' }))).toBe('idempotency_mismatch');
  expect(await world.poll('a')).toEqual([first.id]);
});

test('a key belongs to its sender, survives a restart, and wins once among racers', async () => {
  await using world = await World.open();
  await world.register('a');
  const racing = await Promise.all(Array.from({ length: 50 }, () => world.send('cron', 'a', 'x', { idempotencyKey: 'k' })));
  expect(new Set(racing.map(({ id }) => id)).size).toBe(1);
  expect(racing.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
  expect((await world.send('other', 'a', 'y', { idempotencyKey: 'k' })).duplicate).toBe(false);
  await world.restart();
  expect(await world.send('cron', 'a', 'x', { idempotencyKey: 'k' })).toMatchObject({ id: racing[0]?.id, duplicate: true });
});

test('a message’s id is the sequence of its creation, and it is its own log entry', async () => {
  await using world = await World.open();
  await world.register('a');
  const before = world.head;
  const sent = await world.send('cron', 'a', 'x', { subject: 's', payload: { n: 1 }, meta: { m: [1] }, mode: 'urgent', kind: 'ask' });
  expect(sent.id).toBe(before + 1);
  const { matched, offline, duplicate, ...message } = sent;
  expect(await world.events(before)).toEqual([{ type: 'message.new', seq: sent.id, at: message.createdAt, message, matched }]);
  expect([offline, duplicate]).toEqual([0, false]);
  await world.restart();
  expect(await world.events(before)).toEqual([{ type: 'message.new', seq: sent.id, at: message.createdAt, message, matched }]);
  expect(await world.call['messages/get']({ id: sent.id }, world.as(anonymous))).toEqual({
    ...message,
    readBy: [],
    readCount: 0,
    claim: null,
  });
});

test('a refused send leaves no gap and no trace', async () => {
  await using world = await World.open();
  const before = world.head;
  expect(await codeOf(world.send('cron', 'nobody'))).toBe('not_found');
  expect(world.head).toBe(before);
});

test('who sends is stamped by the relay: owner, peer, lead, claimed', async () => {
  await using world = await World.open();
  await world.register('Lead', { instanceId: 'one', withToken: true }, owner);
  await host(world, 'Worker', { nodeId: 'n', spawnedBy: 'Lead' });
  const sender = async (principal: Parameters<World['as']>[0], from: string | undefined, to: string) => {
    const sent = await world.call['messages/send']({ ...(from === undefined ? {} : { from }), to, body: 'x' }, world.as(principal));
    return [sent.from, sent.sender.relation, sent.sender.principal];
  };
  expect(await sender(owner, undefined, 'Worker')).toEqual(['owner', 'owner', 'owner']);
  expect(await sender(owner, 'Lead', 'Worker')).toEqual(['Lead', 'claimed', 'owner']);
  expect(await sender(agentOf('Lead'), undefined, 'Worker')).toEqual(['Lead', 'lead', 'agent:Lead']);
  expect(await sender(agentOf('Worker'), undefined, 'Lead')).toEqual(['Worker', 'peer', 'agent:Worker']);
  expect(await sender(nodeOf('n'), 'Worker', 'Lead')).toEqual(['Worker', 'peer', 'node:n']);
  expect(await sender(anonymous, 'cron', 'Lead')).toEqual(['cron', 'claimed', 'anonymous']);
});

test('nobody speaks as who they are not', async () => {
  await using world = await World.open();
  await world.register('Lead', { instanceId: 'one', withToken: true }, owner);
  await world.register('open');
  const send = (principal: Parameters<World['as']>[0], from?: string) =>
    codeOf(() => world.call['messages/send']({ ...(from === undefined ? {} : { from }), to: 'open', body: 'x' }, world.as(principal)));
  expect(await send(agentOf('Lead'), 'open')).toBe('forbidden');
  expect(await send(anonymous, 'Lead')).toBe('forbidden');
  expect(await send(anonymous, 'owner')).toBe('forbidden');
  expect(await send(anonymous, 'relay')).toBe('forbidden');
  expect(await send(owner, 'relay')).toBe('forbidden');
  expect(await send(nodeOf('n'), 'open')).toBe('forbidden');
  expect(await send(anonymous)).toBe('validation_failed');
  expect(await send(agentOf('Lead', 7))).toBe('stale_session');
  expect(await send(agentOf('Lead'))).toBe('none');
});

test('deleting leaves a tombstone, fails undelivered copies and cancels the claim', async () => {
  await using world = await World.open();
  await world.register('a');
  const sent = await world.send('cron', 'a', 'secret', { claimable: true });
  const claim = await world.call['messages/claim']({ id: sent.id, agentId: 'a' }, world.as(anonymous));
  expect(await codeOf(() => world.call['messages/remove']({ id: sent.id, agentId: 'a' }, world.as(anonymous)))).toBe('forbidden');
  await world.call['messages/remove']({ id: sent.id }, world.as(owner));
  const left = await world.call['messages/get']({ id: sent.id }, world.as(anonymous));
  expect(left).toMatchObject({ body: '', deletedAt: world.clock.now(), claim: { status: 'cancelled' } });
  expect(await world.receipt(sent.id, 'a')).toBe('failed');
  expect(await world.poll('a')).toEqual([]);
  const complete = () => world.call['claims/complete']({ id: claim.claimId, fence: claim.fence }, world.as(anonymous));
  expect(await codeOf(complete)).toBe('claim_closed');
  const [created] = await world.events(sent.id - 1);
  expect(created).toMatchObject({ type: 'message.new', message: { body: '' } });
  expect((await world.types(sent.id)).includes('message.deleted')).toBe(true);
});

test('a message keeps the trace that it belongs to and what it expects; another step of the trace is the same message', async () => {
  await using world = await World.open();
  await world.register('a');
  const trace = (step: string) => ({ traceparent: `00-0af7651916cd43dd8448eb211c80319c-${step}-01`, tracestate: 'vendor=1' });
  const expects = { reply: true, withinMs: 600_000 } as const;
  const first = trace('b7ad6b7169203331');
  const sent = await world.send('cron', 'a', 'x', { ...first, expects, idempotencyKey: 'k' });
  expect(sent).toMatchObject({ ...first, expects });
  await world.restart();
  expect(await world.call['messages/get']({ id: sent.id }, world.as(anonymous))).toMatchObject({ ...first, expects });
  const again = await world.send('cron', 'a', 'x', { ...trace('00f067aa0ba902b7'), expects, idempotencyKey: 'k' });
  expect(again).toMatchObject({ id: sent.id, duplicate: true, ...first });
  expect(await codeOf(world.send('cron', 'a', 'x', { ...first, idempotencyKey: 'k' }))).toBe('idempotency_mismatch');
  await world.call['messages/remove']({ id: sent.id }, world.as(owner));
  const tombstone = await world.call['messages/get']({ id: sent.id }, world.as(anonymous));
  expect([tombstone.body, 'traceparent' in tombstone, 'tracestate' in tombstone, 'expects' in tombstone]).toEqual([
    '',
    false,
    false,
    false,
  ]);
});

test('lists page forward, or backward from the newest, and name the cursor they were true at', async () => {
  await using world = await World.open();
  await world.register('a');
  const sent = await Promise.all(Array.from({ length: 5 }, () => world.send('cron', 'a')));
  const ids = sent.map(({ id }) => id);
  const list = (input: Parameters<(typeof world.call)['messages/list']>[0]) => world.call['messages/list'](input, world.as(anonymous));
  const first = await list({ limit: 2 });
  expect([first.data.map(({ id }) => id), first.nextCursor, first.cursor]).toEqual([ids.slice(0, 2), ids[1], world.head]);
  const rest = await list({ after: first.nextCursor, limit: 10 });
  expect([rest.data.map(({ id }) => id), rest.nextCursor]).toEqual([ids.slice(2), undefined]);
  expect((await list({ since: first.nextCursor, limit: 10 })).data, 'the older word for it').toEqual(rest.data);
  const newest = await list({ limit: 2, newest: true });
  const before = await list({ limit: 2, before: newest.nextCursor });
  const oldest = await list({ limit: 2, before: before.nextCursor });
  const pages = [newest, before, oldest].map(({ data, nextCursor }) => [data.map(({ id }) => id), nextCursor]);
  expect(pages).toEqual([
    [ids.slice(3), ids[3]],
    [ids.slice(1, 3), ids[1]],
    [ids.slice(0, 1), undefined],
  ]);
  expect((await list({ from: 'cron', to: 'a', limit: 1 })).data).toHaveLength(1);
  expect((await list({ from: 'nobody' })).data).toEqual([]);
  expect((await list({ claimable: true })).data).toEqual([]);
  expect((await list({ claimable: false })).data).toHaveLength(5);
});

test('a list read back from the newest leaves nothing out where one page cannot carry what was asked for', async () => {
  await using world = await World.open();
  await world.register('a');
  const sent: number[] = [];
  for (let index = 0; index < 12; index += 1) sent.push((await world.send('cron', 'a', 'x'.repeat(60_000))).id);
  const found: number[] = [];
  for (let before: number | undefined = Number.MAX_SAFE_INTEGER; before !== undefined; ) {
    const page: { readonly data: readonly { readonly id: number }[]; readonly nextCursor?: number | undefined } = await world.call[
      'messages/list'
    ]({ before }, world.as(anonymous));
    found.unshift(...page.data.map(({ id }) => id));
    before = page.nextCursor;
  }
  expect(found).toEqual(sent);
});

test('a list names the first readers of each message and counts the rest; the message names them all', async () => {
  await using world = await World.open();
  const readers = Array.from({ length: LISTED_READERS + 3 }, (_, index) => `reader-${index}`);
  for (const reader of readers) await world.register(reader, { tags: ['x'] });
  const { id } = await world.send('cron', 'tag:x');
  for (const agentId of readers) {
    world.clock.advance(1);
    await world.call['messages/read']({ id, agentId }, world.as(anonymous));
  }
  const [listed] = (await world.call['messages/list']({}, world.as(anonymous))).data;
  expect([listed?.readBy, listed?.readCount]).toEqual([readers.slice(0, LISTED_READERS), readers.length]);
  const whole = await world.call['messages/get']({ id }, world.as(anonymous));
  expect([whole.readBy, whole.readCount]).toEqual([readers, readers.length]);
});

test('workspaces do not see each other: a foreign id is 404', async () => {
  await using world = await World.open();
  const other = world.as({ type: 'owner', workspace: 'other' });
  await world.register('a');
  const { id } = await world.send('cron', 'a');
  expect(await codeOf(() => world.call['messages/get']({ id }, other))).toBe('not_found');
  expect(await codeOf(() => world.call['agents/get']({ id: 'a' }, other))).toBe('not_found');
  await world.call['agents/register']({ name: 'a', tags: ['t'] }, other);
  expect((await world.call['agents/get']({ id: 'a' }, world.as(anonymous))).tags).toEqual([]);
  expect((await world.call['messages/list']({}, other)).data).toEqual([]);
});
