import { expect, test } from 'vitest';
import { readFields } from './read-fields.ts';

test('what was left empty is absent from a request, and what is no choice is the first of them', () => {
  const form = new FormData();
  for (const [name, value] of [
    ['task', '  '],
    ['cwd', ' /srv '],
    ['mode', 'nonsense'],
    ['ask', 'on'],
    ['scope', 'a'],
    ['scope', 'b'],
  ] as const) {
    form.append(name, value);
  }
  const fields = readFields(form);
  expect({ ...fields.optional('task'), ...fields.optional('cwd'), ...fields.optional('absent') }).toEqual({ cwd: '/srv' });
  expect([fields.oneOf('mode', ['agentic', 'safe']), fields.text('absent')]).toEqual(['agentic', '']);
  expect([fields.isOn('ask'), fields.isOn('task'), fields.all('scope')]).toEqual([true, false, ['a', 'b']]);
});
