import { join } from 'node:path';
import type { ReservedAgainst } from 'agent-relay-provider';
import { expect, test } from 'vitest';
import type { HookCallback } from '../stream-json/frames.ts';
import type { QuestionParts } from './ask-person.ts';
import { toolGate } from './tool-gate.ts';

const cwd = import.meta.dirname;
const file = join(cwd, 'a');

const asked: Parameters<ReservedAgainst>[0][] = [];
const reservedAgainst: ReservedAgainst = async (use) => {
  asked.push(use);
  return 'Ann has reserved these files';
};
const declined: (string | undefined)[] = [];
const parts = {
  translator: { isMailTurn: false, declined: (id: string | undefined) => declined.push(id) },
  events: {},
} as unknown as QuestionParts; // all that is called of them

const before = (name: string, input: object, mode: 'agentic' | 'unrestricted' | 'safe') =>
  toolGate({ mode, approval: 'open', cwd, relayServers: [], reservedAgainst }, parts).onHook?.(
    { tool_use_id: 't', input: { hook_event_name: 'PreToolUse', tool_name: name, tool_input: input } } as unknown as HookCallback, // what is read of one
    { signal: new AbortController().signal },
  );

test.each(['agentic', 'unrestricted'] as const)(
  'what the mode %s allows is kept from files that another agent has reserved',
  async (mode) => {
    [asked.length, declined.length] = [0, 0];
    expect(await before('Write', { file_path: file, content: '' }, mode)).toEqual({
      hookSpecificOutput: {
        hookEventName: 'PreToolUse',
        permissionDecision: 'deny',
        permissionDecisionReason: 'Ann has reserved these files',
      },
    });
    expect(asked).toEqual([{ kind: 'edit', cwd, input: { file_path: file, content: '' } }]);
    expect(declined).toEqual(['t']);
  },
);

test('what the mode refuses nobody is asked about', async () => {
  asked.length = 0;
  expect(await before('Bash', { command: 'rm a' }, 'safe')).toMatchObject({ hookSpecificOutput: { permissionDecision: 'deny' } });
  expect(asked).toEqual([]);
});
