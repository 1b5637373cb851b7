import { expect, test } from 'vitest';
import { anonymous, until, World } from './world.ts';

const DAY_MS = 86_400_000;
const open = () => World.open({ retentionMs: DAY_MS, staleTtlMs: 100 * DAY_MS, offlinePruneMs: 200 * DAY_MS, reapIntervalMs: 50 * DAY_MS });

/** Lets a round that pauses between its batches come to its end. */
async function whole(world: World, round: Promise<void>): Promise<void> {
  let isOver = false;
  const end = round.finally(() => {
    isOver = true;
  });
  await until(() => {
    world.clock.advance(10);
    return isOver;
  });
  await end;
}

const ids = async (world: World) =>
  (await world.call['messages/list']({ to: 'id:a', limit: 1000 }, world.as(anonymous))).data.map(({ id }) => id);

test('many batches: what is old goes, what is work stays until it is done, what is young stays', async () => {
  await using world = await open();
  await world.register('a');
  const work: number[] = [];
  for (let count = 0; count < 260; count += 1) {
    const { id } = await world.send('boss', 'id:a', 'x', count % 40 === 0 ? { claimable: true } : {});
    if (count % 40 === 0) work.push(id);
  }
  world.clock.advance(2 * DAY_MS);
  const young = (await world.send('boss', 'id:a')).id;
  await whole(world, world.relay.reap());
  expect(await ids(world)).toEqual([...work, young]);
  expect(await world.poll('a')).toContain(young);

  const [first = 0, ...others] = work;
  const claim = await world.call['messages/claim']({ id: first, agentId: 'a' }, world.as(anonymous));
  await world.call['claims/complete']({ id: claim.claimId, agentId: 'a' }, world.as(anonymous));
  await whole(world, world.relay.reap());
  expect(await ids(world)).toEqual([...others, young]);
});

test('a lease runs out on time while there is still much to prune', async () => {
  await using world = await open();
  await world.register('a');
  for (let count = 0; count < 250; count += 1) await world.send('boss', 'id:a');
  const { id } = await world.send('boss', 'id:a', 'work', { claimable: true });
  world.clock.advance(51 * DAY_MS);
  await until(async () => (await world.events()).some(({ type }) => type === 'delivery.expired'));
  const claim = await world.call['messages/claim']({ id, agentId: 'a', leaseMs: 1_000 }, world.as(anonymous));
  world.clock.advance(1_000);
  await until(async () => (await world.events(world.relay.core.store.log.floor)).some(({ type }) => type === 'claim.expired'));
  expect(claim.fence).toBeGreaterThan(0);
});

test('closing does not wait for the rest of a round', async () => {
  await using world = await open();
  await world.register('a');
  for (let count = 0; count < 250; count += 1) await world.send('boss', 'id:a');
  world.clock.advance(51 * DAY_MS);
  await until(async () => (await world.events()).some(({ type }) => type === 'delivery.expired'));
  await world.restart();
  expect((await ids(world)).length).toBeGreaterThan(0);
});
