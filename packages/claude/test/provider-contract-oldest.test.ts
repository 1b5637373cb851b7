import { providerContract } from 'agent-relay-provider/testing';
import { agentCliPaths } from 'agent-relay-testing';
import { test } from 'vitest';
import { claudeAbilities, claudeHarness } from './claude-harness.ts';

// The oldest version that is run here: it knows no `command_lifecycle`, so its evidence is the echo alone.
const { claudeDialling } = agentCliPaths();
if (claudeDialling === undefined) test.skip('Claude Code 2.1.120 has no package for this platform');
else providerContract('Claude Code 2.1.120', claudeAbilities, () => claudeHarness(claudeDialling));
