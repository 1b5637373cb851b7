import { providerContract } from 'agent-relay-provider/testing';
import { acpAbilities } from './fake-agent-harness.ts';
import { geminiHarness } from './gemini-harness.ts';

// How its calls are numbered is nothing to its starts and ends.
for (const [callIds, parts] of [
  ['none', undefined],
  ['own', ['conversation']],
] as const) {
  const abilities = { ...acpAbilities, editsOutsideFolder: false };
  providerContract(`Gemini CLI, ids of calls: ${callIds}`, abilities, () => geminiHarness({ callIds }), parts);
}
