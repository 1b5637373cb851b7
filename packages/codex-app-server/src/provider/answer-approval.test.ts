import { type FormAnswers, RelayError } from 'agent-relay-protocol';
import type { ApprovalVerdict } from 'agent-relay-provider';
import { expect, test } from 'vitest';
import { readRequests } from '../../test/read-fixture.ts';
import { readApproval } from './answer-approval.ts';
import { type CodexApproval, offersYes, replyTo } from './approval-choices.ts';
import type { FileUpdate } from './approval-schemas.ts';

const moved: FileUpdate = { path: '/home/ada/note.txt', kind: { type: 'update', move_path: '/home/elsewhere/note.txt' }, diff: '+x' };
const ask = (method: string, params: unknown) =>
  readApproval({ id: 3, method, params, signal: new AbortController().signal }, { cwd: '/home/ada', changesOf: () => [moved] });

test('a recorded request to edit is told with the changes, which it does not name itself, and all paths they touch', () => {
  const [request] = readRequests('0.169.0-declined-edit');
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
    choices: expect.any(Array),
    deny: { decision: 'decline' },
  });
});

const yes = (optionId: string, answers?: FormAnswers): ApprovalVerdict => ({ outcome: 'allowed', optionId, ...(answers && { answers }) });
const no = (optionId: string): ApprovalVerdict => ({ outcome: 'denied', optionId, by: 'owner', message: 'Not now.' });
const kinds = ({ choices }: CodexApproval) => choices.map(({ option: { id, outcome } }) => [id, outcome]);
const reply = ({ choices, deny }: CodexApproval, verdict: ApprovalVerdict) => replyTo(choices, deny, verdict);
const four = [
  ['allow', 'allow'],
  ['allow-session', 'allow_session'],
  ['deny', 'deny'],
  ['cancel', 'cancel'],
];

test('a command has the answers that Codex takes, and a lasting rule only where Codex proposes one', () => {
  const command = { threadId: 't', command: 'npm test', cwd: '/tmp' };
  const plain = ask('item/commandExecution/requestApproval', command);
  expect(kinds(plain)).toEqual(four);
  expect(['allow', 'allow-session'].map((id) => reply(plain, yes(id)))).toEqual([{ decision: 'accept' }, { decision: 'acceptForSession' }]);
  expect(['deny', 'cancel'].map((id) => reply(plain, no(id)))).toEqual([{ decision: 'decline' }, { decision: 'cancel' }]);
  const amendments = {
    proposedExecpolicyAmendment: ['npm', 'test'],
    proposedNetworkPolicyAmendments: [
      { host: 'x.test', action: 'allow' },
      { host: 'y.test', action: 'deny' },
    ],
  };
  const lasting = ask('item/commandExecution/requestApproval', { ...command, ...amendments });
  expect(kinds(lasting).slice(4)).toEqual([
    ['allow-always', 'allow_always'],
    ['allow-host-1', 'allow_always'],
    ['deny-host-2', 'deny'],
  ]);
  expect(lasting.choices[4]?.option.label).toContain('["npm","test"]');
  expect(reply(lasting, yes('allow-always'))).toEqual({
    decision: { acceptWithExecpolicyAmendment: { execpolicy_amendment: ['npm', 'test'] } },
  });
  expect(reply(lasting, no('deny-host-2'))).toEqual({
    decision: { applyNetworkPolicyAmendment: { network_policy_amendment: { host: 'y.test', action: 'deny' } } },
  });
});

test('a yes by what was not offered, a no by a yes, and nobody at all are a no', () => {
  const asked = ask('item/commandExecution/requestApproval', { threadId: 't', command: 'ls' });
  const verdicts = [yes('allow-always'), yes('deny'), no('allow'), { outcome: 'cancelled', by: 'session', message: 'over' } as const];
  for (const verdict of verdicts) expect(reply(asked, verdict)).toEqual({ decision: 'decline' });
});

test.each([
  ['a command that is not told', 'item/commandExecution/requestApproval', { threadId: 't' }],
  ['what is typed into a running one', 'item/commandExecution/requestApproval', { threadId: 't', kind: 'writeStdin', command: 'y' }],
  ['a command of a kind that is new', 'item/commandExecution/requestApproval', { threadId: 't', kind: 'remote', command: 'y' }],
  ['a root that cannot be read', 'item/fileChange/requestApproval', { threadId: 't', itemId: 'i', grantRoot: { path: '/' } }],
  ['no permissions', 'item/permissions/requestApproval', { threadId: 't', permissions: { network: null } }],
  ['a form that is not understood', 'mcpServer/elicitation/request', { threadId: 't', mode: 'form', requestedSchema: { type: 'array' } }],
  ['an address that is not told', 'mcpServer/elicitation/request', { threadId: 't', mode: 'url' }],
  ['no questions', 'item/tool/requestUserInput', { threadId: 't', questions: [] }],
  ['older: no words', 'execCommandApproval', { conversationId: 't', command: [] }],
  ['older: no files', 'applyPatchApproval', { conversationId: 't', fileChanges: {} }],
])('%s: nobody is asked, because nobody knows what they would allow', (_, method, params) => {
  expect(offersYes(ask(method, params).choices)).toBe(false);
});

test('a root is asked for as what it is, until the session ends, and judged like the files', () => {
  const asked = ask('item/fileChange/requestApproval', { threadId: 't', itemId: 'i', grantRoot: '/srv' });
  expect(kinds(asked)).toEqual(four.slice(1));
  expect([asked.choices[0]?.option.label, asked.use]).toEqual([
    'Allow to write below /srv until the session ends',
    { kind: 'edit', name: expect.any(String), paths: ['/home/ada/note.txt', '/home/elsewhere/note.txt', '/srv'] },
  ]);
});

test('permissions are granted as asked for, for the turn or the session, or not', () => {
  const permissions = { network: { enabled: true }, fileSystem: null };
  const asked = ask('item/permissions/requestApproval', { threadId: 't', permissions, reason: 'to fetch' });
  const granted = { network: { enabled: true } };
  expect([yes('allow'), yes('allow-session'), no('deny')].map((verdict) => reply(asked, verdict))).toEqual([
    { permissions: granted, scope: 'turn' },
    { permissions: granted, scope: 'session' },
    { permissions: {}, scope: 'turn' },
  ]);
});

test('the tool of a server is allowed for as long as Codex offers', () => {
  const _meta = { codex_approval_kind: 'mcp_tool_call', tool_name: 'drop', persist: ['session', 'always'] };
  const asked = ask('mcpServer/elicitation/request', { threadId: 't', serverName: 'db', _meta });
  expect(kinds(asked)).toEqual([...four, ['allow-always', 'allow_always']]);
  expect(['allow', 'allow-session', 'allow-always'].map((id) => reply(asked, yes(id)))).toEqual(
    [null, { persist: 'session' }, { persist: 'always' }].map((meta) => ({ action: 'accept', content: {}, _meta: meta })),
  );
  expect(reply(asked, no('cancel'))).toEqual({ action: 'cancel', content: null, _meta: null });
});

test('the form of a server is filled in in the types that it asks for', () => {
  const requestedSchema = {
    type: 'object',
    properties: {
      name: { type: 'string', title: 'Name', description: 'Your name' },
      age: { type: 'integer' },
      isSure: { type: 'boolean' },
      colour: { type: 'string', enum: ['r', 'g'], enumNames: ['Red', 'Green'] },
      size: { type: 'string', oneOf: [{ const: 's', title: 'Small' }] },
      tags: {
        type: 'array',
        items: {
          anyOf: [
            { const: 'a', title: 'A' },
            { const: 'b', title: 'B' },
          ],
        },
      },
    },
    required: ['name'],
  };
  const asked = ask('mcpServer/elicitation/request', { threadId: 't', serverName: 'db', message: 'Who?', mode: 'form', requestedSchema });
  expect(asked.question).toMatchObject({ title: 'Who?', input: { server: 'db' } });
  expect(asked.question.form).toEqual([
    { id: 'name', text: 'Your name', title: 'Name', choices: [], allowsText: true },
    { id: 'age', text: 'age', choices: [], allowsText: true, isOptional: true, format: 'integer' },
    {
      id: 'isSure',
      text: 'isSure',
      choices: [
        { value: 'true', label: 'Yes' },
        { value: 'false', label: 'No' },
      ],
      allowsText: false,
      isOptional: true,
    },
    {
      id: 'colour',
      text: 'colour',
      choices: [
        { value: 'r', label: 'Red' },
        { value: 'g', label: 'Green' },
      ],
      allowsText: false,
      isOptional: true,
    },
    { id: 'size', text: 'size', choices: [{ value: 's', label: 'Small' }], allowsText: false, isOptional: true },
    {
      ...{ id: 'tags', text: 'tags', allowsText: false, allowsSeveral: true, isOptional: true },
      choices: [
        { value: 'a', label: 'A' },
        { value: 'b', label: 'B' },
      ],
    },
  ]);
  const answers = { name: ['Ada'], age: ['36'], isSure: ['false'], colour: ['g'], size: [''], tags: ['a', 'b'] };
  expect(reply(asked, yes('allow', answers))).toEqual({
    action: 'accept',
    content: { name: 'Ada', age: 36, isSure: false, colour: 'g', tags: ['a', 'b'] },
    _meta: null,
  });
});

test('what the model wants to know is asked with its choices, and told why nobody says', () => {
  const questions = [
    {
      id: 'q',
      header: 'Letter',
      question: 'A or B?',
      isOther: false,
      isSecret: false,
      options: [{ label: 'A', description: 'first' }, { label: 'B' }],
    },
    { id: 'key', header: '', question: 'The key?', isOther: true, isSecret: true, options: null },
  ];
  const asked = ask('item/tool/requestUserInput', { threadId: 't', questions });
  expect(asked.question.form).toEqual([
    {
      ...{ id: 'q', text: 'A or B?', title: 'Letter', allowsText: false },
      choices: [
        { value: 'A', label: 'A', description: 'first' },
        { value: 'B', label: 'B' },
      ],
    },
    { id: 'key', text: 'The key?', choices: [], allowsText: true, isSecret: true },
  ]);
  expect(reply(asked, yes('allow', { q: ['B'], key: ['k'] }))).toEqual({ answers: { q: { answers: ['B'] }, key: { answers: ['k'] } } });
  expect(reply(asked, no('deny'))).toEqual({ answers: { q: { answers: ['Not now.'] }, key: { answers: ['Not now.'] } } });
  expect(asked.deny).toMatchObject({ answers: { q: { answers: [expect.stringContaining('decide yourself')] } } });
});

test('the older questions are asked like the newer ones and answered in their own words', () => {
  const command = ask('execCommandApproval', {
    conversationId: 't',
    callId: 'c',
    command: ['rm', '-rf', 'a b'],
    cwd: '/srv',
    reason: null,
  });
  expect(command.question).toMatchObject({ kind: 'execute', itemId: 'c', cwd: '/srv', input: { command: '"rm" "-rf" "a b"' } });
  const patch = ask('applyPatchApproval', { conversationId: 't', callId: 'c', fileChanges: { '/a': { type: 'add', content: 'x' } } });
  expect(patch).toMatchObject({
    use: { kind: 'edit', paths: ['/a'] },
    question: { input: { changes: [{ path: '/a', change: 'add', diff: 'x' }] } },
  });
  for (const asked of [command, patch]) {
    expect(kinds(asked)).toEqual(four);
    expect([yes('allow'), yes('allow-session'), no('deny'), no('cancel')].map((verdict) => reply(asked, verdict))).toEqual([
      { decision: 'approved' },
      { decision: 'approved_for_session' },
      { decision: { denied: { rejection: 'Not now.' } } },
      { decision: 'abort' },
    ]);
  }
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
