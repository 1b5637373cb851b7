import { providerContract } from 'agent-relay-provider/testing';
import { execHarness } from './harness.ts';

// The newer version has its turn in exec.test.ts.
providerContract(
  'codex exec',
  {
    steersRunningTurn: false,
    addsContextOnly: false,
    strongestEvidence: 'seen',
    streamsText: false,
    asksPeople: false,
    outlivesItsProgram: true,
  },
  () => execHarness(),
);
