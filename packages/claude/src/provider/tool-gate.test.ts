import { join } from 'node:path';
import type { ReservedAgainst } from 'agent-relay-provider';
import { expect, test } from 'vitest';
import type { HookCallback, PermissionRequest } from '../stream-json/frames.ts';
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

const context = { signal: new AbortController().signal };
const use = (name: string, path: string) => ({ tool_name: name, tool_input: { file_path: path, content: '' } });
const request = (tool_use_id: string) =>
  ({
    subtype: 'can_use_tool',
    tool_name: 'Write',
    input: { file_path: file, content: '' },
    tool_use_id,
    permission_suggestions: [],
  }) as unknown as PermissionRequest; // what is read of one

test('a permission is kept from reserved files where no hook has looked, or a person has put others in their place', async () => {
  const rights = { mode: 'agentic', approval: 'open', cwd, relayServers: [], ask: true } as const;
  let holder: string | null = 'Ann has reserved these files';
  let questions = 0;
  const keeps: ReservedAgainst = async () => {
    questions += 1;
    return holder;
  };
  const answer = { outcome: 'allowed', updatedInput: { command: 'rm a' } };
  const events = { emit: () => {}, approvals: { ask: async () => answer } };
  const translator = { ...parts.translator, declined: () => {}, questionAsked: () => [], questionAnswered: () => [] };
  const gate = toolGate({ ...rights, reservedAgainst: keeps }, { translator, events } as unknown as QuestionParts); // all that is called of them
  expect(await gate.onPermission(request('lost'), context)).toEqual({ behavior: 'deny', message: 'Ann has reserved these files' });
  const command = { ...request('c'), tool_name: 'Bash', input: { command: 'touch b' } };
  expect(await gate.onPermission(command, context)).toEqual({ behavior: 'deny', message: 'Ann has reserved these files' });
  holder = null;
  expect(await gate.onPermission(command, context)).toMatchObject({ behavior: 'allow', updatedInput: { command: 'rm a' } });
  questions = 0;
  await gate.onHook?.(
    { tool_use_id: 'heard', input: { hook_event_name: 'PreToolUse', ...use('Write', file) } } as unknown as HookCallback, // what is read of one
    context,
  );
  expect([await gate.onPermission(request('heard'), context), questions]).toEqual([{ behavior: 'allow' }, 1]);
});

test('a sub-agent is given by a hook what the mode allows and nobody has reserved, and nothing else; the conversation asks for itself', async () => {
  const rights = { mode: 'agentic', approval: 'open', cwd, relayServers: [], ask: true } as const;
  const isAllowed = async (tool: object, reserves?: ReservedAgainst, agent_id?: string) => {
    const gate = toolGate({ ...rights, reservedAgainst: reserves }, parts);
    const asked = { input: { hook_event_name: 'PermissionRequest', agent_id, ...tool } } as unknown as HookCallback; // what is read of one
    return gate.onHook?.(asked, context);
  };
  const allows = { hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: { behavior: 'allow' } } };
  expect(await isAllowed(use('Write', file), undefined, 'sub')).toEqual(allows);
  expect(await isAllowed(use('Write', file))).toEqual({});
  expect(await isAllowed(use('Write', file), reservedAgainst, 'sub')).toEqual({});
  expect(await isAllowed(use('Write', '/etc/hosts'), undefined, 'sub')).toEqual({});
  expect(await isAllowed({ tool_name: 'Bash', tool_input: { command: 'touch b' } }, undefined, 'sub')).toEqual({});
});
