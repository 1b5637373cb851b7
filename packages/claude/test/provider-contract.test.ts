import { providerContract } from 'agent-relay-provider/testing';
import { agentCliPaths } from 'agent-relay-testing';
import { claudeAbilities, claudeHarness } from './claude-harness.ts';

const { claude, claudeBetween } = agentCliPaths();
// The newest, where it is there, starts and ends as this one does.
const parts = claudeBetween.some(([version]) => version === '2.1.332') ? (['conversation'] as const) : undefined;
providerContract('Claude Code', claudeAbilities, () => claudeHarness(claude), parts);
