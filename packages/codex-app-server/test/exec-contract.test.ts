import { providerContract } from 'agent-relay-provider/testing';
import { execAbilities, execHarness } from './harness.ts';

// The newer version has its turn in exec.test.ts.
providerContract('codex exec', execAbilities, () => execHarness());
