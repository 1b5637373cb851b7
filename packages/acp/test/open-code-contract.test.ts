import { providerContract } from 'agent-relay-provider/testing';
import { acpCliPaths } from 'agent-relay-testing';
import { describe } from 'vitest';
import { freeAbilities } from './fake-agent-harness.ts';
import { openCodeHarness } from './real-agent-harness.ts';

// Not every platform has its package.
const { opencode } = acpCliPaths();
describe.runIf(opencode)('where there is a package of it', () => {
  providerContract('OpenCode', freeAbilities, () => openCodeHarness(opencode ?? ''));
});
