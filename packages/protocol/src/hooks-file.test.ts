import { expect, test } from 'vitest';
import { hooksFileSchemaFor } from './hooks-file.ts';

test.each<[string, string | undefined]>([
  ['codx', 'this machine has no such kind of agent; codex is meant, perhaps'],
  ['codex', undefined],
  ['*', undefined],
  ['agent:codx', undefined],
  // Of another machine, which has the same file.
  ['made-by-us', undefined],
])('a kind of agent that is none of the machine’s, and near one, is a slip: %s', (whom, message) => {
  const { error } = hooksFileSchemaFor(['claude', 'codex', 'gemini']).safeParse({ hooks: { [whom]: { on_spawned: [{ command: 'x' }] } } });
  expect(error?.issues).toEqual(message === undefined ? undefined : [expect.objectContaining({ path: ['hooks', whom], message })]);
});
