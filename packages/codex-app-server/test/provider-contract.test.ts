import { providerContract } from 'agent-relay-provider/testing';
import { codexAbilities, codexHarness, codexVersions } from './harness.ts';

for (const [version, command] of codexVersions) providerContract(`codex ${version}`, codexAbilities, () => codexHarness(command));
