import { brokenAbilities } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { CodexProvider } from '../src/provider/codex-provider.ts';
import { CodexExecProvider } from '../src/provider/exec/exec-provider.ts';
import { codexAbilities, execAbilities } from './harness.ts';

test('what the providers say of themselves is what their contracts hold them to', () => {
  expect(brokenAbilities(new CodexProvider(), codexAbilities)).toEqual([]);
  expect(brokenAbilities(new CodexExecProvider(), execAbilities)).toEqual([]);
});
