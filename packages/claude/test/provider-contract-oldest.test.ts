import { providerContract } from 'agent-relay-provider/testing';
import { agentCliPaths } from 'agent-relay-testing';
import { describe } from 'vitest';
import { claudeAbilities, claudeHarness } from './claude-harness.ts';

// The oldest version that is run: it knows no `command_lifecycle`, so its evidence is the echo alone. Not every platform has its package.
const { claudeDialling } = agentCliPaths();
describe.runIf(claudeDialling)('the oldest', () => {
  providerContract('Claude Code 2.1.120', claudeAbilities, () => claudeHarness(claudeDialling ?? ''));
});
