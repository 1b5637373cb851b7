import { expect, test } from 'vitest';
import { agentCliPaths } from '../src/index.ts';

test('another CLI can be named, and one that is not there says how to install it', () => {
  expect(agentCliPaths({ AGENT_RELAY_TEST_CODEX: process.execPath }).codex).toBe(process.execPath);
  expect(() => agentCliPaths({ AGENT_RELAY_TEST_CLAUDE: '/nowhere/claude' })).toThrow('`node scripts/install-clis.mjs` installs');
});
