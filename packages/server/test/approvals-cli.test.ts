import { type AgentEvent, type MethodParams, RelayError } from 'agent-relay-protocol';
import { expect, test } from 'vitest';
import { runCli } from '../src/cli/run-cli.ts';
import type { Terminal } from '../src/cli/terminal.ts';
import { startTestRelay, type TestRelay } from '../src/testing.ts';
import { as, FarNode, owner } from './session-world.ts';

const agentRelay = (relay: TestRelay, ...args: string[]) => agentRelayIn({}, relay, ...args);

/** One command line, with what it printed. */
const agentRelayIn = (env: Record<string, string>, relay: TestRelay, ...args: string[]) => runIn({ env, ask: null }, relay, ...args);

async function runIn({ env, ask }: Pick<Terminal, 'ask'> & { env: Record<string, string> }, relay: TestRelay, ...args: string[]) {
  const out: string[] = [];
  const notes: string[] = [];
  const code = await runCli([...args, '--url', relay.url, '--token', relay.ownerToken], {
    env: { HOME: '/nonexistent', ...env },
    cwd: '/',
    signal: new AbortController().signal,
    out: (line) => out.push(line),
    note: (line) => notes.push(line),
    ask,
  });
  return { code, out: out.join('\n'), notes: notes.join('\n') };
}

const ask = (approvalId: string, command: string): AgentEvent => ({
  type: 'approval.requested',
  approvalId,
  kind: 'execute',
  title: `Bash: ${command.split('\n', 1)[0]}`,
  cwd: '/fresh',
  input: { command },
  options: [{ id: 'allow', label: 'Allow', outcome: 'allow' }],
});

/** A relay with one agent on a machine, which says these things. */
async function agentThatSays(relay: TestRelay, ...events: AgentEvent[]): Promise<FarNode> {
  const node = new FarNode();
  const { handlers, nodeHandlers } = relay.relay;
  const providers = [{ id: 'claude', available: true, version: '1', reason: null }];
  const params: MethodParams<'nodes/attach'> = { name: 'laptop', version: '1', protocol: 1, providers, sessions: [] };
  await nodeHandlers['nodes/attach'](params, { ...as(owner), link: node });
  const { sessionId } = await handlers['sessions/start']({ name: 'Worker', provider: 'claude' }, as(owner));
  const entries = events.map((event, index) => ({ seq: index + 1, at: 1, event }));
  await nodeHandlers['activity/append']({ sessionId, entries }, { ...as(owner), link: node });
  return node;
}

test('what an agent asks is shown whole, without obeying it, and answered from a terminal', async () => {
  await using relay = await startTestRelay();
  expect(await agentRelay(relay, 'approvals')).toEqual({ code: 0, out: '', notes: 'No agent waits for an approval.' });
  const node = await agentThatSays(relay, ask('aa11', 'npm test\nrm -rf \u001b[31mall'), ask('ab22', 'git push'));
  const { out } = await agentRelay(relay, 'approvals', '--agent', 'Worker');
  expect(out).toMatch(/^ab22 {2}\S+ {2}Worker asks: Bash: git push\n {4}in \/fresh\n {4}git push\naa11 /u);
  expect(out).toContain('    npm test\n    rm -rf \u{fffd}[31mall');

  expect(await agentRelay(relay, 'approve', 'a')).toMatchObject({ code: 1, notes: expect.stringContaining('begins 2 approvals') });
  expect(await agentRelay(relay, 'approve', 'zz')).toMatchObject({ code: 1, notes: expect.stringContaining('no agent asks') });
  expect(await agentRelay(relay, 'approve', 'ab')).toEqual({ code: 0, out: 'Worker: allowed: Bash: git push', notes: '' });
  const denied = await agentRelay(relay, 'approve', 'aa11', '--deny', '--message', 'use a branch');
  expect(denied).toEqual({ code: 0, out: 'Worker: denied: Bash: npm test', notes: '' });
  expect(node.commands.slice(-2).map(({ params }) => params)).toMatchObject([
    { approvalId: 'ab22', outcome: 'allow', by: 'owner' },
    { approvalId: 'aa11', outcome: 'deny', message: 'use a branch', by: 'owner' },
  ]);

  expect(await agentRelay(relay, 'approve', 'aa11')).toMatchObject({
    code: 1,
    notes: 'error: aa11 is denied already, by owner (already_resolved)',
  });
  expect((await agentRelay(relay, 'approvals', '--all')).out).toMatch(/Worker denied by owner: .*\n.*\n.*\n.*\n {4}said: use a branch$/u);
  expect((await agentRelay(relay, 'approvals')).notes).toBe('No agent waits for an approval.');
});

test('programs read what is asked as a line of JSON each, and `--all` tells what was answered from what was not', async () => {
  await using relay = await startTestRelay();
  await agentThatSays(relay, ask('aa11', 'npm test'), ask('ab22', 'git push'));
  await agentRelay(relay, 'approve', 'ab22', '--agent', 'Worker');
  const read = async (...flags: string[]) =>
    (await agentRelay(relay, 'approvals', '--json', ...flags)).out.split('\n').map((line) => JSON.parse(line));
  expect(await read()).toEqual([expect.objectContaining({ approvalId: 'aa11', status: 'pending', input: { command: 'npm test' } })]);
  expect(await read('--all')).toMatchObject([
    { approvalId: 'ab22', status: 'allowed', by: 'owner' },
    { approvalId: 'aa11', status: 'pending' },
  ]);
  expect((await agentRelay(relay, 'approvals', '--agent', 'owner', '--all')).notes).toBe('Nothing was asked.');
});

test('an id that begins another is the one that is meant, and with --agent an unknown one is named by the relay', async () => {
  await using relay = await startTestRelay();
  const node = await agentThatSays(relay, ask('aa', 'npm test'), ask('aa11', 'git push'));
  expect(await agentRelay(relay, 'approve', 'aa')).toMatchObject({ code: 0, out: 'Worker: allowed: Bash: npm test' });
  expect(await agentRelay(relay, 'approve', 'zz', '--agent', 'Worker')).toMatchObject({
    code: 1,
    notes: 'error: Worker has asked nothing of the id zz (not_found)',
  });
  node.onApproval = async () => {
    throw new RelayError('connection_closed', 'gone');
  };
  expect(await agentRelay(relay, 'approve', 'aa11')).toMatchObject({ code: 1, notes: expect.stringContaining('(node_unavailable)') });
  expect((await agentRelay(relay, 'approvals')).out).toContain('aa11');
});

const form = [
  { id: 'q', text: 'Which?', choices: ['Red', 'Blue'].map((value) => ({ value, label: value })), allowsText: true, allowsSeveral: true },
  { id: 'n', text: 'How many?', choices: [], allowsText: true, format: 'integer' as const, isOptional: true },
];
const choosing = (approvalId: string): AgentEvent => ({
  type: 'approval.requested',
  approvalId,
  kind: 'other',
  title: 'Choose',
  options: [
    { id: 'allow', label: 'Answer', outcome: 'allow' },
    { id: 'allow-session', label: 'Answer, and so until the session ends', outcome: 'allow_session' },
    { id: 'deny', label: 'Do not answer', outcome: 'deny' },
  ],
  form,
  isEditable: true,
  expiresInMs: 60_000,
});

test("a question's own options and what it asks in words are shown, and answered by option, by field, or one after the other", async () => {
  await using relay = await startTestRelay();
  const node = await agentThatSays(relay, choosing('aa11'), choosing('bb11'), choosing('cc11'), choosing('dd11'));
  const { out } = await agentRelay(relay, 'approvals');
  expect(out.slice(out.indexOf('aa11'))).toMatch(
    /^aa11 .*: Choose\n {4}--answer q=…: Which\? \(one or more, or your own words\)\n {8}1\. Red\n {8}2\. Blue\n {4}--answer n=…: How many\? \(may be left out\)\n {4}--option allow: Answer\n {4}--option allow-session: .*\n {4}--option deny: .*\n {4}--input JSON: .*\n {4}until .*denied$/u,
  );
  expect(await agentRelay(relay, 'approve', 'aa11')).toMatchObject({ code: 1, notes: expect.stringContaining('answers.q: is missing') });
  expect(await agentRelay(relay, 'approve', 'aa11', '--option', 'maybe')).toMatchObject({
    code: 1,
    notes: expect.stringContaining('optionId'),
  });
  expect(await agentRelay(relay, 'approve', 'aa11', '--deny', '--session')).toMatchObject({ code: 2 });
  expect(await agentRelay(relay, 'approve', 'aa11', '--answer', 'Red')).toMatchObject({
    code: 2,
    notes: expect.stringContaining('id=text'),
  });
  expect(await agentRelay(relay, 'approve', 'aa11', '--input', '{')).toMatchObject({ code: 2, notes: expect.stringContaining('JSON') });
  const chosen = [
    '--session',
    '--answer',
    'q=Red',
    '--answer',
    'q=2',
    '--answer',
    'q=a=b',
    '--answer',
    'n=3',
    '--input',
    '{"command":"ls -l"}',
  ];
  expect(await agentRelay(relay, 'approve', 'aa11', ...chosen)).toMatchObject({
    code: 0,
    out: 'Worker: allowed, changed to: ls -l\n    answered q: Red, Blue, a=b\n    answered n: 3',
  });
  const said: string[] = [];
  const sits = { env: {}, ask: async (question: string) => ['2, pink', ''][said.push(question) - 1] ?? '' };
  expect(await runIn(sits, relay, 'approve', 'bb')).toMatchObject({ code: 0 });
  expect(await agentRelay(relay, 'deny', 'cc11', '--reason', 'Ask Ada.')).toMatchObject({ code: 0, out: 'Worker: denied: Choose' });
  expect(await agentRelay(relay, 'approve', 'dd11', '--option', 'deny')).toMatchObject({ code: 0, out: 'Worker: denied: Choose' });
  expect(node.commands.at(-4)?.params).toEqual({
    ...{ sessionId: expect.any(String), approvalId: 'aa11', outcome: 'allow', optionId: 'allow-session', by: 'owner' },
    ...{ answers: { q: ['Red', 'Blue', 'a=b'], n: ['3'] }, updatedInput: { command: 'ls -l' } },
  });
  expect(node.commands.slice(-3).map(({ params }) => params)).toMatchObject([
    { approvalId: 'bb11', outcome: 'allow', answers: { q: ['Blue', 'pink'] } },
    { approvalId: 'cc11', outcome: 'deny', message: 'Ask Ada.' },
    { approvalId: 'dd11', outcome: 'deny', optionId: 'deny' },
  ]);
  expect((await agentRelay(relay, 'approvals', '--all')).out).toMatch(
    /chose: Answer, and so.*\n {4}answered q: Red, Blue, a=b\n {4}answered n: 3\n {4}instead: \{"command":"ls -l"\}/u,
  );
});

test('the session of an agent is no place for what people decide, though the owner’s token lies about there', async () => {
  await using relay = await startTestRelay();
  const node = await agentThatSays(relay, ask('aa11', 'npm test'));
  const attempt = await agentRelayIn({ AGENT_RELAY_AGENT_ID: 'Lead' }, relay, 'approve', 'aa11');
  expect(attempt).toMatchObject({ code: 1, notes: expect.stringContaining('in the session of Lead, and a person decides') });
  expect(await agentRelayIn({ AGENT_RELAY_AGENT_ID: 'Lead' }, relay, 'deny', 'aa11')).toMatchObject({ code: 1 });
  for (const decision of ['release', 'refuse']) {
    const { notes } = await agentRelayIn({ AGENT_RELAY_AGENT_ID: 'Lead' }, relay, 'holds', decision, '1');
    expect(notes).toContain('a person decides');
  }
  expect(node.commands.filter(({ name }) => name === 'session/resolve-approval')).toEqual([]);
  expect((await agentRelayIn({ AGENT_RELAY_AGENT_ID: 'Lead' }, relay, 'approvals')).out).toContain('aa11');
});

test('a number is the choice of that number, unless a choice is called so', async () => {
  await using relay = await startTestRelay();
  const choices = ['3', '1', '2'].map((value) => ({ value, label: value }));
  const field = { id: 'q', text: 'How many?', choices, allowsText: false, allowsSeveral: true };
  const lettered = { ...field, id: 'l', choices: ['a', 'b'].map((value) => ({ value, label: value })) };
  const node = await agentThatSays(relay, { ...choosing('aa11'), form: [field, lettered] } as AgentEvent);
  expect((await agentRelay(relay, 'approve', 'aa11', '--answer', 'q=1', '--answer', 'l=2')).out).toBe(
    'Worker: allowed: Choose\n    answered q: 1\n    answered l: b',
  );
  expect(node.commands.at(-1)?.params).toMatchObject({ answers: { q: ['1'], l: ['b'] } });
});

test('how far an agent may go for others is set by a person, while no machine runs it', async () => {
  await using relay = await startTestRelay();
  await agentThatSays(relay);
  await relay.relay.handlers['agents/register']({ id: 'Desk', name: 'Desk' }, as(owner));
  expect(await agentRelay(relay, 'approval', 'Desk', 'guarded')).toEqual({ code: 0, out: 'Desk: guarded', notes: '' });
  expect((await relay.relay.handlers['agents/get']({ id: 'Desk' }, as(owner))).approval).toBe('guarded');
  expect(await agentRelay(relay, 'approval', 'Worker', 'guarded')).toMatchObject({ code: 1 });
  expect(await agentRelay(relay, 'approval', 'Desk', 'sometimes')).toMatchObject({ code: 2 });
  expect(await agentRelayIn({ AGENT_RELAY_AGENT_ID: 'Desk' }, relay, 'approval', 'Desk', 'open')).toMatchObject({ code: 1 });
});

test('a rule from a question is found by the beginning of its id, and says when it did not answer it', async () => {
  await using relay = await startTestRelay();
  await agentThatSays(relay, ask('aa11', 'npm test'), ask('bb22', 'npm test'));
  const add = ['rules', 'add', '--agent', 'Worker', '--from'];
  expect(await agentRelay(relay, ...add, 'aa')).toMatchObject({ code: 0, out: expect.stringContaining('npm test'), notes: '' });
  expect(await agentRelay(relay, ...add, 'zz')).toMatchObject({ code: 1 });
  const elsewhere = await agentRelay(relay, 'rules', 'add', 'git', 'push', '--agent', 'Worker', '--from', 'bb');
  expect(elsewhere.notes).toMatch(/bb22/u);
});
