import { brokenAbilities } from 'agent-relay-provider/testing';
import { expect, test } from 'vitest';
import { ClaudeProvider } from '../src/provider/claude-provider.ts';
import { claudeAbilities } from './claude-harness.ts';

test('what the provider says of itself is what its contract holds it to', () => {
  expect(brokenAbilities(new ClaudeProvider(), claudeAbilities)).toEqual([]);
});
