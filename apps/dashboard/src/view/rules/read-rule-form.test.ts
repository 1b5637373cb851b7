import { CreateApprovalRuleSchema } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { readFields } from '../form/read-fields.ts';
import { commandWords, readRuleForm } from './read-rule-form.ts';

function filled(values: Readonly<Record<string, string>>) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.set(name, value);
  return readFields(form);
}

test('a rule for a tag says its command word by word, how long it holds and how often', () => {
  const fields = { whose: 'tag:build', kind: 'execute', command: 'git commit -m "two words"', folder: '/srv', days: '1', maxUses: '5' };
  const rule = readRuleForm(filled(fields), {}, 1_000);
  expect(rule).toEqual({
    tag: 'build',
    kind: 'execute',
    command: ['git', 'commit', '-m', 'two words'],
    folder: '/srv',
    expiresAt: 86_401_000,
    maxUses: 5,
  });
  expect(CreateApprovalRuleSchema.safeParse(rule).success).toBe(true);
});

test('what is left empty the question says that a rule is made from', () => {
  const asked = { agentId: 'Worker', approvalId: 'a1' };
  expect(readRuleForm(filled({ command: '', folder: '', days: '', maxUses: '' }), asked, 0)).toEqual(asked);
  expect(readRuleForm(filled({ whose: 'id:Worker', kind: 'edit', folder: '/srv' }), {}, 0)).toEqual({
    agentId: 'Worker',
    kind: 'edit',
    folder: '/srv',
  });
});

test('a command is its words; what stands in quotes is one of them', () => {
  expect(commandWords(` npm  test 'a b' ""`)).toEqual(['npm', 'test', 'a b', '']);
});
