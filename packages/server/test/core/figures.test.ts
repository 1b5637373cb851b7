import { expect, test } from 'vitest';
import { owner, World } from './world.ts';

test('figures are of all workspaces that the store has', async () => {
  await using world = await World.open();
  await world.register('a');
  const elsewhere = world.as({ ...owner, workspace: 'elsewhere' });
  await world.call['agents/register']({ id: 'b', name: 'b' }, elsewhere);
  await world.call['messages/send']({ to: 'id:b', body: 'hello' }, elsewhere);
  await world.call['messages/send']({ to: 'id:a', body: 'do it', claimable: true }, world.as(owner));
  const { agents, openWork, undelivered } = await world.relay.figures();
  expect({ agents: agents.online + agents.idle, openWork, undelivered }).toEqual({ agents: 2, openWork: 1, undelivered: 2 });
});
