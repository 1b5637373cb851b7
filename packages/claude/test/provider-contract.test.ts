import { providerContract } from 'agent-relay-provider/testing';
import { agentCliPaths } from 'agent-relay-testing';
import { claudeAbilities, claudeHarness } from './claude-harness.ts';

const { claude } = agentCliPaths();
providerContract('Claude Code', claudeAbilities, () => claudeHarness(claude));
