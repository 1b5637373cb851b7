import { providerContract } from 'agent-relay-provider/testing';
import { freeAbilities } from './fake-agent-harness.ts';
import { claudeAgentHarness } from './real-agent-harness.ts';

providerContract('claude-agent-acp', freeAbilities, claudeAgentHarness);
