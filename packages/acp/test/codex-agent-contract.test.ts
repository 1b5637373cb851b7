import { providerContract } from 'agent-relay-provider/testing';
import { freeAbilities } from './fake-agent-harness.ts';
import { codexAgentHarness } from './real-agent-harness.ts';

providerContract('codex-acp', freeAbilities, codexAgentHarness);
