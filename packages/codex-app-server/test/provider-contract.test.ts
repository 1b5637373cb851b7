import { providerContract } from 'agent-relay-provider/testing';
import { codexHarness } from './harness.ts';

providerContract(
  'codex',
  { steersRunningTurn: true, addsContextOnly: true, strongestEvidence: 'seen', outlivesItsProgram: true },
  codexHarness,
);
