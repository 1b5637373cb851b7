import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { readRequests } from '../../test/read-fixture.ts';
import { type FileUpdate, readApproval } from './answer-approval.ts';

const moved: FileUpdate = { path: '/home/ada/note.txt', kind: { type: 'update', move_path: '/home/elsewhere/note.txt' }, diff: '+x' };
const ask = (method: string, params: unknown) =>
  readApproval({ id: 3, method, params, signal: new AbortController().signal }, { cwd: '/home/ada', changesOf: () => [moved] });

test('a recorded request to edit is told with the changes, which it does not name itself, and all paths they touch', () => {
  const [request] = readRequests('declined-edit');
  expect(request?.method).toBe('item/fileChange/requestApproval');
  expect(ask(request?.method ?? '', request?.params)).toEqual({
    question: {
      kind: 'edit',
      title: expect.stringContaining('Edit /home/ada/note.txt, /home/elsewhere/note.txt'),
      cwd: '/home/ada',
      input: { changes: [{ path: '/home/ada/note.txt', change: 'update', moveTo: '/home/elsewhere/note.txt', diff: '+x' }] },
      turnId: expect.any(String),
      itemId: expect.any(String),
    },
    use: { kind: 'edit', name: expect.stringMatching(/^Edit /u), paths: ['/home/ada/note.txt', '/home/elsewhere/note.txt'] },
    allow: { decision: 'accept' },
    deny: { decision: 'decline' },
  });
});

test.each([
  [
    'item/commandExecution/requestApproval',
    { threadId: 't', command: 'rm -rf /', cwd: '/tmp', reason: 'cleaning' },
    { decision: 'accept' },
    { decision: 'decline' },
  ],
  ['item/commandExecution/requestApproval', { threadId: 't' }, null, { decision: 'decline' }],
  ['item/fileChange/requestApproval', { threadId: 't', itemId: 'i', grantRoot: '/' }, null, { decision: 'decline' }],
  ['item/permissions/requestApproval', { threadId: 't', permissions: {} }, null, { permissions: {}, scope: 'turn' }],
  ['mcpServer/elicitation/request', { threadId: 't', serverName: 'db' }, null, { action: 'decline', content: null, _meta: null }],
  [
    'mcpServer/elicitation/request',
    { threadId: 't', serverName: 'db', _meta: { codex_approval_kind: 'mcp_tool_call', tool_name: 'drop' } },
    { action: 'accept', content: {}, _meta: null },
    { action: 'decline', content: null, _meta: null },
  ],
  [
    'item/tool/requestUserInput',
    { threadId: 't', questions: [{ id: 'q', question: 'A or B?' }] },
    null,
    { answers: { q: { answers: [expect.any(String)] } } },
  ],
])('%s: a yes is for this one use, or there is none', (method, params, allow, deny) => {
  expect(ask(method, params)).toMatchObject({ allow, deny });
});

test('a person sees the whole command, where it runs, and whose tool is called', () => {
  const command = 'npm test\nrm -rf dist';
  expect(ask('item/commandExecution/requestApproval', { threadId: 't', command, cwd: '/tmp', reason: 'to check' }).question).toEqual({
    kind: 'execute',
    title: 'Run npm test (to check)',
    cwd: '/tmp',
    input: { command, reason: 'to check' },
  });
  const meta = { codex_approval_kind: 'mcp_tool_call', tool_name: 'drop', tool_params: { table: 'all' } };
  expect(ask('mcpServer/elicitation/request', { threadId: 't', serverName: 'db', message: 'Call it?', _meta: meta }).question).toEqual({
    kind: 'other',
    title: 'Call it?',
    input: { server: 'db', tool: 'drop', arguments: { table: 'all' } },
  });
});

test('what is not known is refused', () => {
  expect(() => ask('item/somethingNew/requestApproval', { threadId: 't' })).toThrow(RelayError);
  expect(() => ask('item/commandExecution/requestApproval', 'no object')).toThrow(RelayError);
});
