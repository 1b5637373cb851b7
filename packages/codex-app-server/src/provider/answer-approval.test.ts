import { RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { readRequests } from '../../test/read-fixture.ts';
import { answerApproval } from './answer-approval.ts';

const pathsOf = () => ['/home/elsewhere/note.txt'];
const ask = (method: string, params: unknown) =>
  answerApproval({ id: 3, method, params, signal: new AbortController().signal }, { pathsOf });

test('a recorded request to edit outside the sandbox is declined, and told with the paths that it does not name itself', () => {
  const [request] = readRequests('declined-edit');
  expect(request?.method).toBe('item/fileChange/requestApproval');
  const { response, events } = ask(request?.method ?? '', request?.params);
  expect(response).toEqual({ decision: 'decline' });
  expect(events).toMatchObject([
    { type: 'approval.requested', approvalId: 'codex-3', kind: 'edit', title: 'Edit /home/elsewhere/note.txt', itemId: expect.any(String) },
    { type: 'approval.resolved', approvalId: 'codex-3', outcome: 'denied', by: 'policy' },
  ]);
});

test.each([
  ['item/commandExecution/requestApproval', { threadId: 't', command: 'rm -rf /', reason: 'cleaning' }, { decision: 'decline' }],
  ['item/permissions/requestApproval', { threadId: 't' }, { permissions: {}, scope: 'turn' }],
  ['mcpServer/elicitation/request', { threadId: 't', serverName: 'db' }, { action: 'decline', content: null, _meta: null }],
  [
    'item/tool/requestUserInput',
    { threadId: 't', questions: [{ id: 'q', question: 'A or B?' }] },
    { answers: { q: { answers: [expect.any(String)] } } },
  ],
])('%s gets an answer in its own form, which is never a yes', (method, params, response) => {
  expect(ask(method, params).response).toEqual(response);
});

test('what is not known is refused', () => {
  expect(() => ask('item/somethingNew/requestApproval', { threadId: 't' })).toThrow(RelayError);
  expect(() => ask('item/commandExecution/requestApproval', 'no object')).toThrow(RelayError);
});
