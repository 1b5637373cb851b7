import { providerContract } from 'agent-relay-provider/testing';
import { acpAbilities } from './fake-agent-harness.ts';
import { geminiHarness } from './gemini-harness.ts';

for (const callIds of ['none', 'own'] as const) {
  providerContract(`Gemini CLI, ids of calls: ${callIds}`, { ...acpAbilities, editsOutsideFolder: false }, () =>
    geminiHarness({ callIds }),
  );
}
