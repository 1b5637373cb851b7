import { expect, test } from 'vitest';
import { parseAddress } from './address.ts';
import { principalName } from './name-of-principal.ts';
import { AgentIdSchema } from './primitives.ts';
import { isPersonName } from './principal-name.ts';

test.each(['owner', 'person:anna', 'person:anna@example.com', 'person:Zoë', 'person:7', `person:${'a'.repeat(128)}`])(
  '%s is a person',
  (name) => expect(isPersonName(name)).toBe(true),
);

test.each([
  ...['', 'Owner', 'anna', 'person', 'person:', 'person: anna', 'person:anna ', 'person:a b', 'person:anna\nowner', 'person:.anna'],
  ...['Person:anna', ' person:anna', 'person:person:anna', 'person:find', `person:${'a'.repeat(129)}`],
  ...['agent:anna', 'node:person:anna', 'token:person:anna', 'integration:anna', 'anonymous', 'relay', 'timeout'],
])('%j is none', (name) => expect(isPersonName(name)).toBe(false));

test('no agent has the id of a person, no address reaches one, and no token speaks as one, whatever it is called', () => {
  expect(AgentIdSchema.safeParse('person:anna').success).toBe(false);
  expect(parseAddress('person:anna')).toBe(null);
  const called = {
    workspace: 'default',
    tokenId: 't',
    kind: 'scoped',
    agentId: null,
    scopes: ['*'],
    targets: null,
    channels: null,
  } as const;
  expect(isPersonName(principalName({ type: 'token', name: 'person:anna', ...called, scopes: ['*'] }))).toBe(false);
  expect(isPersonName(principalName({ type: 'node', workspace: 'default', nodeId: 'person:anna' }))).toBe(false);
});
