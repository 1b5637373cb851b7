import { type RouteName, routeNames, routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { anonymous, codeOf, World } from './world.ts';

test('no handler of a relay answers a caller that its route does not let in, whatever transport forgets to ask', async () => {
  await using world = await World.open();
  const closed = routeNames.filter((name) => !routes[name].anonymous);
  expect(closed.length).toBeGreaterThan(10);
  const answers = closed.map(async (name: RouteName) => {
    const call = world.relay.handlers[name] as (input: unknown, context: unknown) => unknown; // the input is never looked at
    const context = { principal: anonymous, signal: new AbortController().signal };
    return [name, await codeOf(Promise.resolve().then(() => call({}, context)))];
  });
  expect((await Promise.all(answers)).filter(([, code]) => code !== 'unauthorized')).toEqual([]);
});
