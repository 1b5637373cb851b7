import { providerContract } from 'agent-relay-provider/testing';
import { agentCliPaths } from 'agent-relay-testing';
import { describe } from 'vitest';
import { claudeAbilities, claudeHarness } from './claude-harness.ts';

// What npm installs on Node 20, and what is newer than the pinned version. Not every platform has their packages.
const { claudeBetween } = agentCliPaths();
describe.runIf(claudeBetween.length > 0)('other versions', () => {
  for (const [version, command] of claudeBetween) providerContract(`Claude Code ${version}`, claudeAbilities, () => claudeHarness(command));
});
