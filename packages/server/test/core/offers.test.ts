import { expect, test } from 'vitest';
import { agentOf, anonymous, anotherTurn, codeOf, observer, owner, until, World } from './world.ts';

async function withAgents(...ids: string[]): Promise<World> {
  const world = await World.open();
  for (const id of ids) await world.register(id, { withToken: true, tags: ['crew'] }, owner);
  return world;
}
const as = (world: World, id: string) => world.as(agentOf(id));
const offer = (world: World, to: string, more: object = {}) =>
  world.call['messages/send']({ to, body: 'do it', claimable: true, ...more }, as(world, 'lead'));
const claim = (world: World, id: number, who: string) => world.call['messages/claim']({ id }, as(world, who));
const mailOf = async (world: World, id: string) => {
  const { data } = await world.call['inbox/list']({ id, peek: true }, as(world, id));
  return data.map(({ message: { from, body, replyTo, kind } }) => ({ from, body, replyTo, kind }));
};
const openWork = async (world: World) => (await world.call['system/stats']({}, world.as(owner))).messages.open;

test('work of others in front hides no work of one’s own, and pages go on to the end', async () => {
  await using world = await withAgents('lead', 'me', 'other');
  await Promise.all(Array.from({ length: 120 }, async () => offer(world, 'other')));
  const held = await offer(world, 'me');
  await claim(world, held.id, 'me');
  const mine = [await offer(world, 'me'), await offer(world, 'tag:crew'), await offer(world, 'me')].map(({ id }) => id);
  const list = (who: string, query: object) => world.call['work/list'](query, as(world, who));
  expect((await list('me', { for: 'me' })).data.map(({ message }) => message.id)).toEqual(mine);
  expect((await list('me', {})).data.map(({ message }) => message.id)).toEqual(mine);
  const pages: number[] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const { data, nextCursor }: { data: { message: { id: number } }[]; nextCursor?: number | undefined } = await list('me', {
      for: 'me',
      after,
      limit: 1,
    });
    pages.push(...data.map(({ message }) => message.id));
    after = nextCursor;
  }
  expect(pages).toEqual(mine);
  expect((await list('me', { held: true })).data.map(({ message }) => message.id)).toEqual([held.id, ...mine]);
  expect((await list('lead', { limit: 100 })).nextCursor).toBeDefined();
});

test('an offer that nobody claimed in time is over: counted no more, listed no more, and whoever made it is told once', async () => {
  await using world = await withAgents('lead', 'me');
  const { id } = await offer(world, 'me', { ttlMs: 1_000 });
  const kept = await offer(world, 'me');
  await world.call['inbox/ack']({ id: 'me', ids: [id, kept.id], state: 'seen' }, as(world, 'me'));
  expect(await openWork(world)).toBe(2);
  world.clock.advance(1_001);
  await anotherTurn();
  await until(async () => (await openWork(world)) === 1);
  expect(await codeOf(() => claim(world, id, 'me'))).toBe('claim_closed');
  expect(await mailOf(world, 'lead')).toEqual([
    { from: 'relay', body: `Message ${id} expired before anybody claimed it.`, replyTo: null, kind: 'notice' },
  ]);
});

test('an offer that was claimed in time goes on beyond it: given back it is open and listed, and nobody hears that it expired', async () => {
  await using world = await withAgents('lead', 'me', 'other');
  const { id } = await offer(world, 'tag:crew', { ttlMs: 1_000 });
  const { claimId } = await claim(world, id, 'me');
  world.clock.advance(1_001);
  await anotherTurn();
  await world.relay.reap();
  await world.call['claims/release']({ id: claimId }, as(world, 'me'));
  expect((await world.call['work/list']({ for: 'other' }, as(world, 'other'))).data.map(({ message }) => message.id)).toEqual([id]);
  expect(await mailOf(world, 'lead')).toEqual([]);
  expect((await claim(world, id, 'other')).status).toBe('held');
});

test('who completed an offer has answered it, though it never fetched its mail; whoever offered it has the result as an answer', async () => {
  await using world = await withAgents('lead', 'me');
  const { id } = await offer(world, 'me');
  const { claimId } = await claim(world, id, 'me');
  await world.call['claims/complete']({ id: claimId, result: { tests: 12 } }, as(world, 'me'));
  expect(await world.receipt(id, 'me')).toBe('answered reply');
  expect(await mailOf(world, 'me')).toEqual([]);
  expect(await mailOf(world, 'lead')).toEqual([{ from: 'me', body: '{\n  "tests": 12\n}', replyTo: id, kind: 'result' }]);
  const [answer] = (await world.events(id, { types: ['message.new'] })).flatMap((event) =>
    event.type === 'message.new' ? [event.message] : [],
  );
  expect(answer).toMatchObject({ from: 'me', threadId: id, hops: 1, sender: { relation: 'peer', principal: 'agent:me' } });
  const removed = await world.call['agents/remove']({ id: 'me' }, world.as(owner));
  expect(removed.failedMessages).toBe(0);
  expect((await mailOf(world, 'lead')).map(({ from }) => from)).toEqual(['me']);
});

test('a completion that is said again answers once', async () => {
  await using world = await withAgents('lead', 'me');
  const { id } = await offer(world, 'me');
  const { claimId } = await claim(world, id, 'me');
  for (let time = 0; time < 3; time += 1) await world.call['claims/complete']({ id: claimId }, as(world, 'me'));
  expect(await mailOf(world, 'lead')).toEqual([{ from: 'me', body: 'Done, without a result.', replyTo: id, kind: 'result' }]);
});

test('a send that waits for an answer to offered work ends when the one who took it is done', async () => {
  await using world = await withAgents('lead', 'me', 'other');
  const sending = world.call['messages/send'](
    { to: 'tag:crew', body: 'do it', claimable: true, waitFor: { state: 'answered', timeoutMs: 60_000 } },
    as(world, 'lead'),
  );
  await until(async () => (await openWork(world)) === 1);
  const id = world.head - 1;
  const { claimId } = await claim(world, id, 'me');
  await world.call['claims/complete']({ id: claimId, result: 'ready' }, as(world, 'me'));
  const { waited } = await sending;
  expect([waited?.reached, waited?.deliveries.map(({ agentId, state }) => [agentId, state])]).toEqual([
    true,
    [
      ['me', 'answered'],
      ['other', 'queued'],
    ],
  ]);
});

test('the agent that reported a task hears what came of it, also when it failed', async () => {
  await using world = await withAgents('lead', 'me');
  const { task } = await world.call['integrations/report']({ title: 'disk full', target: 'me' }, as(world, 'lead'));
  const id = task?.id ?? 0;
  await world.call['tasks/claim']({ id }, as(world, 'me'));
  await world.call['tasks/status']({ id, status: 'failed', result: 'no rights' }, as(world, 'me'));
  expect(await mailOf(world, 'lead')).toEqual([{ from: 'me', body: 'Failed: no rights', replyTo: id, kind: 'result' }]);
  expect(await mailOf(world, 'me')).toEqual([]);
});

test('nobody is written to who offered work without being there', async () => {
  await using world = await World.open();
  await world.register('me');
  const { id } = await world.send('script', 'me', 'do it', { claimable: true });
  const { claimId } = await world.call['messages/claim']({ id, agentId: 'me' }, world.as(anonymous));
  await world.call['claims/complete']({ id: claimId, agentId: 'me', result: 'x' }, world.as(anonymous));
  expect((await world.call['messages/list']({ from: 'me' }, world.as(observer))).data).toEqual([]);
});

test('whoever offered work, and the owner, take it back: the holder is told and is stale, and the work is open again', async () => {
  await using world = await withAgents('lead', 'me', 'other');
  for (const [who, principal] of [
    ['lead', agentOf('lead')],
    ['owner', owner],
  ] as const) {
    const { id } = await offer(world, 'me');
    const { claimId, fence } = await claim(world, id, 'me');
    expect(await codeOf(() => world.call['claims/release']({ id: claimId }, as(world, 'other')))).toBe('not_found');
    expect(await world.call['claims/release']({ id: claimId }, world.as(principal))).toMatchObject({
      status: 'released',
      reason: `${who} took it back`,
    });
    expect(await world.call['claims/release']({ id: claimId }, world.as(principal))).toMatchObject({ status: 'released' });
    expect(await codeOf(() => world.call['claims/complete']({ id: claimId, fence }, as(world, 'me')))).toBe('stale_fence');
    expect((await mailOf(world, 'me')).at(-1)?.body).toBe(
      `${who} took message ${id} back: stop working on it. A result from you would be refused.`,
    );
    const twice = await claim(world, id, 'me');
    await world.call['claims/release']({ id: twice.claimId, reason: 'it is on leave' }, world.as(principal));
    expect((await mailOf(world, 'me')).at(-1)?.body).toContain(
      `${who} took message ${id} back, saying “it is on leave”: stop working on it.`,
    );
    const again = await claim(world, id, 'me');
    await world.call['claims/complete']({ id: again.claimId }, as(world, 'me'));
    expect(await codeOf(() => world.call['claims/release']({ id: again.claimId }, world.as(principal)))).toBe('claim_closed');
  }
});

test('what was said to many and is deleted has failed for all who had not read it, and nobody waits for it or is handed it', async () => {
  await using world = await withAgents('lead', 'me', 'other');
  const sending = world.call['messages/send'](
    { to: 'tag:crew', body: 'oops', waitFor: { state: 'seen', timeoutMs: 600_000 } },
    as(world, 'lead'),
  );
  await until(async () => (await mailOf(world, 'me')).length === 1);
  const id = world.head;
  await world.call['inbox/ack']({ id: 'me', ids: [id] }, as(world, 'me'));
  await world.call['messages/remove']({ id }, as(world, 'lead'));
  const { data } = await world.call['messages/deliveries']({ id }, as(world, 'lead'));
  expect(data.map(({ agentId, state, reason }) => [agentId, state, reason])).toEqual([
    ['me', 'delivered', null],
    ['other', 'failed', 'The message was deleted'],
  ]);
  expect(await mailOf(world, 'other')).toEqual([]);
  world.clock.advance(600_000);
  await anotherTurn();
  expect((await sending).waited).toMatchObject({ reached: false });
});

test('a wait ends at once when the message is deleted before anybody had it', async () => {
  await using world = await withAgents('lead', 'me', 'other');
  const sending = world.call['messages/send'](
    { to: 'tag:crew', body: 'oops', waitFor: { state: 'seen', timeoutMs: 600_000 } },
    as(world, 'lead'),
  );
  await until(async () => (await mailOf(world, 'other')).length === 1);
  await world.call['messages/remove']({ id: world.head }, as(world, 'lead'));
  expect((await sending).waited).toMatchObject({ reached: false, deliveries: [{ state: 'failed' }, { state: 'failed' }] });
});
