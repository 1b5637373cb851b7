import { providerContract } from 'agent-relay-provider/testing';
import { acpAbilities, fakeAgentHarness } from './fake-agent-harness.ts';

providerContract('an ACP agent that asks before its tool calls', acpAbilities, () => fakeAgentHarness());
providerContract('an ACP agent that tells of its tool calls first', acpAbilities, () =>
  fakeAgentHarness(['tool-first', 'tells-rejects', 'error-after-cancel']),
);
