import { providerContract } from 'agent-relay-provider/testing';
import { acpAbilities } from './fake-agent-harness.ts';
import { geminiHarness } from './gemini-harness.ts';

providerContract('Gemini CLI', { ...acpAbilities, editsOutsideFolder: false }, () => geminiHarness());
