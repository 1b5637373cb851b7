import { nodeMethods, type Principal, type RouteName, routeNames, routes } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import type { CallContext } from '../../src/relay/contract/relay-contract.ts';
import { agentOf, anonymous, codeOf, observer, World } from './world.ts';

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

test('what machines call answers a machine and the owner, whatever transport forgets to ask', async () => {
  await using world = await World.open();
  const { nodeHandlers, nodeLive, asNode } = world.relay;
  const everything: Principal = { ...observer, scopes: ['*'] } as Principal;
  for (const principal of [anonymous, agentOf('a'), observer, everything]) {
    const calls = Object.values(nodeHandlers).map((handler) => {
      const call = handler as (params: unknown, context: CallContext) => Promise<unknown>; // the input is never looked at
      return codeOf(call({}, world.as(principal)));
    });
    expect(await Promise.all(calls)).toEqual(Object.keys(nodeMethods).map(() => 'forbidden'));
    expect(await codeOf(() => nodeLive({ sessionId: 's', at: 1, events: [] }, world.as(principal)))).toBe('forbidden');
    expect(await codeOf(() => asNode(principal, 'local'))).toBe('forbidden');
  }
});

test('mail is handed to nobody who may only read', async () => {
  await using world = await World.open();
  await world.register('a');
  const reader: Principal = { ...observer, scopes: ['messages:read'], agentId: 'a' } as Principal;
  expect(await codeOf(world.relay.openInbox({ id: 'a' }, world.as(reader)))).toBe('forbidden_scope');
});
