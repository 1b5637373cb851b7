import { StartSessionSchema } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { readFields } from '../form/read-fields.ts';
import { readSpawnForm } from './read-spawn-form.ts';

test('a form becomes a request, without what was left empty', () => {
  const form = new FormData();
  for (const [name, value] of Object.entries({
    name: ' Lead ',
    provider: 'claude',
    mode: 'safe',
    approval: 'guarded',
    task: '',
    cwd: '/srv',
    model: '',
    node: 'n1',
    sandbox: 'os',
  })) {
    form.append(name, value);
  }
  const request = readSpawnForm(readFields(form));
  expect(request).toEqual({
    name: 'Lead',
    provider: 'claude',
    mode: 'safe',
    approval: 'guarded',
    ask: false,
    cwd: '/srv',
    node: 'n1',
    sandbox: 'os',
  });
  expect(StartSessionSchema.safeParse(request).success).toBe(true);
});
