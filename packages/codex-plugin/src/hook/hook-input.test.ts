import { expect, test } from 'vitest';
import { readHookInput } from './hook-input.ts';

const session = { session_id: 'thread', cwd: '/work' };
const tool = { ...session, tool_name: 'Bash', tool_use_id: 'use', tool_input: { command: 'ls', timeout_ms: 5 } };
const read = (input: unknown) => readHookInput(JSON.stringify(input));

test('of a hook is read what is used, and the rest of a later version is passed over', () => {
  const heard = { ...session, hook_event_name: 'Stop', stop_hook_active: false };
  expect(read(heard)).toEqual({ ...session, hook_event_name: 'Stop' });
  const used = { ...tool, hook_event_name: 'PostToolUse', tool_response: ['said'] };
  expect(read({ ...used, later: 1 })).toEqual({ ...used, tool_input: { command: 'ls' } });
  const odd = { ...tool, hook_event_name: 'PreToolUse', tool_name: 7, tool_input: { command: ['ls'] } };
  expect(read(odd)).toEqual({ ...tool, hook_event_name: 'PreToolUse', tool_name: '', tool_input: { command: '' } });
});

test.each([
  ['hook_event_name', { ...session, hook_event_name: 'Other' }],
  ['session_id', { hook_event_name: 'Stop', cwd: '/work' }],
  ['cwd', { ...session, hook_event_name: 'Stop', cwd: 7 }],
  ['tool_use_id', { ...tool, hook_event_name: 'PreToolUse', tool_use_id: null }],
  ['tool_input', { ...tool, hook_event_name: 'PreToolUse', tool_input: [] }],
  ['session_id', null],
  ['session_id', 'a word'],
])('what is no word of Codex is refused by its field: %s', (path, input) => {
  expect(() => read(input)).toThrow(expect.objectContaining({ code: 'validation_failed', issues: [expect.objectContaining({ path })] }));
});
