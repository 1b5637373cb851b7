import { providerContract } from 'agent-relay-provider/testing';
import { codexHarness, codexVersions } from './harness.ts';

const abilities = { steersRunningTurn: true, addsContextOnly: true, strongestEvidence: 'seen', outlivesItsProgram: true } as const;

for (const [version, command] of codexVersions) providerContract(`codex ${version}`, abilities, () => codexHarness(command));
