import { brokenAbilities } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { acpAgents } from '../src/catalogue.ts';
import { AcpProvider } from '../src/provider/acp-provider.ts';
import { acpAbilities, freeAbilities } from './fake-agent-harness.ts';

test('what each row of the catalogue says of itself is what the contract of its fence holds it to', () => {
  const broken = Object.values(acpAgents).flatMap((agent) =>
    brokenAbilities(new AcpProvider(agent), agent.fence === 'none' ? freeAbilities : acpAbilities),
  );
  expect(broken).toEqual([]);
});
