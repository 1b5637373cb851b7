import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RelayClient } from 'agent-relay-client';
import { createNodeRelayClient } from 'agent-relay-client/node';
import type { ApprovalMode } from 'agent-relay-protocol';
import { startTestRelay, type TestRelay } from 'agent-relay-server/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { LiveClaude } from './live-claude.ts';

let relay: TestRelay;
let owner: RelayClient;
let claude: LiveClaude;
let id: string;
const timeout = { timeout: 60_000 };

beforeAll(async () => {
  relay = await startTestRelay();
  owner = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
  claude = await LiveClaude.start({ env: { AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken } });
  await claude.open();
  const find = async () => (await owner.agents.list()).data.find(({ provider }) => provider === 'claude');
  id = (await vi.waitUntil(find, timeout)).id;
});
afterAll(async () => {
  await claude[Symbol.asyncDispose]();
  await owner.close();
  await relay.close();
});

/** A turn that a message of the relay began, in that mode. */
async function mailTurn(approval: ApprovalMode): Promise<void> {
  await claude.hook('Stop');
  await owner.agents.approval({ id, approval });
  const { length } = claude.frames;
  await owner.messages.send({ to: `id:${id}`, body: 'do it' });
  await expect.poll(() => claude.frames.length, timeout).toBe(length + 1);
  await claude.hook('UserPromptSubmit', { prompt: claude.frames[length]?.message.content });
}
const before = async (tool_name: string, tool_input: object = {}) =>
  (await claude.hook('PreToolUse', { tool_name, tool_input })).output.hookSpecificOutput?.permissionDecision ?? 'no word';
const restrictedIn = ({ folder }: LiveClaude) =>
  join(folder, 'tmp', `agent-relay-claude-${process.getuid?.()}`, `${process.pid}.restricted`);
const bash = { tool_name: 'Bash', tool_input: { command: 'npm test' } };
const permission = () => claude.hook('PermissionRequest', bash);
const pending = async () => (await owner.approvals.list({ agent: id, status: 'pending' })).data;
const asked = async () => {
  await expect.poll(async () => (await pending()).length, timeout).toBe(1);
  const [question] = await pending();
  if (!question) throw new Error('it was there');
  return question;
};

test("a person's own turn is the session's own: only the relay's tools, which start nothing on a machine, are let through", async () => {
  await owner.agents.approval({ id, approval: 'read-only' });
  await claude.hook('UserPromptSubmit', { prompt: 'build it' });
  const tool = 'mcp__plugin_agent-relay_relay__relay_';
  expect([await before('Write'), await before(`${tool}send`), await before(`${tool}spawn`)]).toEqual(['no word', 'allow', 'no word']);
});

test('what another agent has reserved is not changed, in a person’s own turn as well', async () => {
  await owner.agents.approval({ id, approval: 'open' });
  await owner.agents.register({ id: 'Holder', name: 'Holder' });
  await owner.reservations.create({ agentId: 'Holder', folder: '/w', patterns: ['src/'], enforced: true });
  await claude.hook('UserPromptSubmit', { prompt: 'build it' });
  const said = async (tool_name: string, tool_input: object) => {
    const { output } = await claude.hook('PreToolUse', { tool_name, tool_input, cwd: '/w' });
    const { permissionDecision = 'no word', permissionDecisionReason = '' } = output.hookSpecificOutput ?? {};
    return `${permissionDecision} ${permissionDecisionReason}`;
  };
  const kept = /^deny Holder has reserved these files until /u;
  expect(await said('Write', { file_path: '/w/src/a.ts', content: 'x' })).toMatch(kept);
  expect(await said('Bash', { command: 'rm -rf src' })).toMatch(kept);
  for (const [name, input] of [
    ['Edit', { file_path: '/w/lib/a.ts' }],
    ['Read', { file_path: '/w/src/a.ts' }],
    ['Bash', { command: 'cat src/a.ts' }],
  ] as const)
    expect(await said(name, input)).toBe('no word ');
});

test('a turn with relay mail is held to the mode: read-only reads, guarded asks, open is free', async () => {
  const uses = async () => [
    await before('Read'),
    await before('Write'),
    await before('Bash', { command: 'ls' }),
    await before('Agent', { run_in_background: false }),
    await before('Agent'),
    await before('mcp__other__tool'),
    await before('mcp__plugin_agent-relay_relay__relay_reply'),
  ];
  await mailTurn('read-only');
  expect(await uses()).toEqual(['no word', 'deny', 'deny', 'no word', 'deny', 'deny', 'allow']);
  await mailTurn('guarded');
  expect(await uses()).toEqual(['no word', 'ask', 'ask', 'no word', 'ask', 'ask', 'allow']);
  await mailTurn('open');
  expect(await uses()).toEqual(['no word', 'no word', 'no word', 'no word', 'no word', 'no word', 'allow']);
  // What a person types into it does not take the mail out of it; its end does.
  await mailTurn('read-only');
  await claude.hook('UserPromptSubmit', { prompt: 'and hurry' });
  expect(await before('Write')).toBe('deny');
  await claude.hook('Stop');
  await claude.hook('UserPromptSubmit', { prompt: 'now mine' });
  expect(await before('Write')).toBe('no word');
});

test('a stop that another hook turned into more work ends no turn with relay mail; the next prompt of a person, and rest, do', async () => {
  for (const stop of ['Stop', 'StopFailure']) {
    await mailTurn('read-only');
    await claude.hook(stop);
    expect(await before('Write')).toBe('deny');
    // The turn goes on: what is typed now enters it.
    await claude.hook('UserPromptSubmit', { prompt: 'go on' });
    expect(await before('Write')).toBe('deny');
    await claude.hook(stop);
    await claude.hook('UserPromptSubmit', { prompt: 'now mine' });
    expect(await before('Write')).toBe('no word');
  }
  for (const [event, input] of [
    ['Notification', { notification_type: 'idle_prompt' }],
    ['SessionEnd', { reason: 'clear' }],
  ] as const) {
    await mailTurn('guarded');
    await claude.hook('Stop');
    expect(await before('Write')).toBe('ask');
    await claude.hook(event, input);
    expect(await before('Write')).toBe('no word');
  }
});

test('mail in the answer of a tool holds the rest of the turn as well', async () => {
  await claude.hook('Stop');
  await owner.agents.approval({ id, approval: 'read-only' });
  await claude.hook('UserPromptSubmit', { prompt: 'ask Peer' });
  await owner.agents.register({ name: 'Peer', instanceId: 'p' });
  const asking = claude.tool('relay_send', { to: 'Peer', body: 'what now?', waitForAnswerMs: 20_000 });
  await expect.poll(async () => (await owner.messages.list({ newest: true })).data.at(-1)?.body, timeout).toBe('what now?');
  const question = (await owner.messages.list({ newest: true })).data.at(-1);
  const { length } = claude.frames;
  const sent = await owner.messages.send({ replyTo: question?.id ?? 0, body: 'write it', from: 'Peer' });
  expect((await asking).text).toContain(`[msg:${sent.id}] from Peer: write it`);
  expect(await before('Write')).toBe('deny');
  // Another tool of the same answer begins whether or not the model has read what this one said.
  expect((await owner.messages.deliveries({ id: sent.id })).data[0]?.state).toBe('dispatched');
  await claude.hook('Stop');
  await expect.poll(async () => (await owner.messages.deliveries({ id: sent.id })).data[0]?.state, timeout).toBe('seen');
  expect(claude.frames).toHaveLength(length);
});

test('what a session asks is put to a person through the relay, and the answer goes back to it', async () => {
  await mailTurn('guarded');
  const allowed = permission();
  const question = await asked();
  expect(question).toMatchObject({ kind: 'execute', title: 'Bash: npm test', input: { command: 'npm test' }, cwd: claude.cwd });
  await owner.approvals.resolve({ id, approvalId: question.approvalId, outcome: 'allow' });
  expect((await allowed).output).toEqual({
    hookSpecificOutput: { hookEventName: 'PermissionRequest', decision: { behavior: 'allow', updatedInput: { command: 'npm test' } } },
  });
  const denied = permission();
  await owner.approvals.resolve({ id, approvalId: (await asked()).approvalId, outcome: 'deny', message: 'use a branch' });
  expect((await denied).output.hookSpecificOutput.decision).toEqual({ behavior: 'deny', message: 'owner denied this: use a branch' });
});

test('questions with choices, plans and edited inputs are answered with what they take', async () => {
  await mailTurn('open');
  const decisionOn = async (use: { tool_name: string; tool_input: object }, answer: object) => {
    const waiting = claude.hook('PermissionRequest', use);
    const question = await asked();
    await owner.approvals.resolve({ id, approvalId: question.approvalId, ...answer });
    return { question, decision: (await waiting).output.hookSpecificOutput.decision };
  };
  const questions = [
    { question: 'Which colour?', header: 'Colour', options: [{ label: 'Blue', description: 'as the sky' }, { label: 'Red' }] },
  ];
  const chosen = await decisionOn({ tool_name: 'AskUserQuestion', tool_input: { questions } }, { answers: { q1: ['Blue'] } });
  expect(chosen.question).toMatchObject({
    title: 'Which colour?',
    form: [
      {
        id: 'q1',
        choices: [
          { value: 'Blue', label: 'Blue', description: 'as the sky' },
          { value: 'Red', label: 'Red' },
        ],
      },
    ],
  });
  expect(chosen.decision).toEqual({ behavior: 'allow', updatedInput: { questions, answers: { 'Which colour?': 'Blue' } } });
  const plan = await decisionOn({ tool_name: 'ExitPlanMode', tool_input: { plan: '1. mend' } }, { optionId: 'deny', message: 'smaller' });
  expect(plan.question).toMatchObject({
    input: { plan: '1. mend' },
    options: [{ label: 'Begin, and go on to ask' }, { label: 'Keep planning' }],
  });
  expect(plan.decision).toEqual({ behavior: 'deny', message: 'owner denied this: smaller' });
  const edited = await decisionOn(bash, { outcome: 'allow', updatedInput: { command: 'npm run check' } });
  expect(edited.question.isEditable).toBe(true);
  expect(edited.decision).toEqual({ behavior: 'allow', updatedInput: { command: 'npm run check' } });
});

test('what is answered at the terminal is withdrawn: by the tool that ran, by the end of the turn, by the hook that went away', async () => {
  await mailTurn('guarded');
  for (const answeredThere of [() => claude.hook('PostToolUse', bash), () => claude.hook('Stop')]) {
    const waiting = permission();
    const { approvalId } = await asked();
    await answeredThere();
    expect((await waiting).output).toEqual({});
    await expect.poll(async () => (await pending()).length, timeout).toBe(0);
    await expect(owner.approvals.resolve({ id, approvalId, outcome: 'allow' })).rejects.toMatchObject({ code: 'already_resolved' });
  }
});

test('a dialog that no hook asks about is told where people look, ends no turn with mail, and is withdrawn when the session goes on', async () => {
  await mailTurn('guarded');
  const needsInput = { notification_type: 'agent_needs_input', message: 'Auto mode needs your choice' };
  await claude.hook('Notification', needsInput);
  const question = await asked();
  expect(question).toMatchObject({
    kind: 'other',
    title: 'At the terminal: Auto mode needs your choice',
    options: [{ id: 'seen', outcome: 'deny' }],
  });
  // What is asked already is not told of besides.
  await claude.hook('Notification', { notification_type: 'permission_prompt', message: 'Claude needs your permission' });
  expect(await before('Write')).toBe('ask');
  expect(await pending()).toHaveLength(1);
  await claude.hook('PreToolUse', { ...bash, tool_use_id: 'asks' });
  await claude.hook('PostToolUse', { ...bash, tool_use_id: 'asks' });
  await expect.poll(async () => (await pending()).length, timeout).toBe(0);
});

test('where nobody sits only a turn with relay mail waits for a person', async () => {
  await claude.hook('Stop');
  await using headless = await LiveClaude.start({
    env: { AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken, CLAUDE_CODE_ENTRYPOINT: 'sdk-cli' },
  });
  await headless.ready();
  expect((await headless.hook('PermissionRequest', bash)).output).toEqual({});
});

test('commands are answered without a model, and what is wrong with one is said', async () => {
  const type = async (command_name: string, command_args = '') =>
    (await claude.hook('UserPromptExpansion', { command_name, command_args, command_source: 'plugin' })).output;
  await owner.agents.register({ name: 'Other', instanceId: 'o' });
  expect(await type('agent-relay:message', 'Other "can you look?"')).toEqual({
    decision: 'block',
    reason: expect.stringMatching(/^\[msg:\d+\] to id:Other: reached 1 agent$/u),
  });
  expect((await owner.messages.list({ newest: true })).data.at(-1)).toMatchObject({ from: id, body: 'can you look?' });
  expect((await type('message', 'Other')).reason).toBe('It is written /message <agent> <text> (validation_failed)');
  expect((await type('label', 'backend fixer')).reason).toContain('label backend fixer');
  expect((await type('tags', 'claude urgent')).reason).toContain('tags claude,urgent');
  expect((await type('send-claimable', 'tag:urgent fix it')).reason).toMatch(/^\[msg:\d+\] to tag:urgent: reached/u);
  expect((await type('pair', 'Other Debug the flaky test')).reason).toMatch(/^pair \d+: .* and Other, pending: Debug the flaky test$/u);
  expect((await type('relay-status')).reason).toMatch(/Your agent ID: .*\n[\s\S]*pair \d+: /u);
  expect((await type('disconnect')).reason).toMatch(/^pair \d+: .*, ended/u);
  expect((await type('disconnect')).reason).toBe(`${id} is in no pair.`);
  expect(await type('other:pair', 'x y')).toEqual({});
});

test('when the sidecar is gone a turn with relay mail may do nothing more, also after a stop', async () => {
  await using lost = await LiveClaude.start({
    env: { AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken, AGENT_RELAY_APPROVAL: 'read-only' },
  });
  await lost.ready();
  const own = /Your agent ID: (\S+)/u.exec(await lost.context('SessionStart'))?.[1];
  const agent = own ?? (await owner.agents.list()).data.find(({ meta }) => meta['cwd'] === lost.cwd)?.id;
  await owner.messages.send({ to: `id:${agent}`, body: 'do it' });
  await expect.poll(() => lost.frames.length, timeout).toBe(1);
  await lost.hook('UserPromptSubmit', { prompt: lost.frames[0]?.message.content });
  await lost.hook('Stop');
  await lost.kill();
  const decision = async () =>
    (await lost.hook('PreToolUse', { tool_name: 'Write', tool_input: {} })).output.hookSpecificOutput?.permissionDecision;
  expect(await decision()).toBe('deny');
  // A dialog is no rest.
  await lost.hook('Notification', { notification_type: 'agent_needs_input' });
  expect(await decision()).toBe('deny');
  // At rest the turn is over, whoever sees it.
  await lost.hook('Notification', { notification_type: 'idle_prompt' });
  expect(await decision()).toBeUndefined();
});

test('mail in the answer of a tool, and a new sidecar in the middle of a turn with mail, hold it as before', async () => {
  const env = { AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken, AGENT_RELAY_APPROVAL: 'read-only', TMPDIR: claude.folder };
  await using held = await LiveClaude.start({ env });
  await held.open();
  await held.ready();
  const find = async () => (await owner.agents.list()).data.find(({ meta }) => meta['cwd'] === held.cwd);
  const { id: own } = await vi.waitUntil(find, timeout);
  await owner.agents.register({ name: 'Peer', instanceId: 'p' });
  await held.hook('UserPromptSubmit', { prompt: 'ask Peer' });
  const asking = held.tool('relay_send', { to: 'Peer', body: 'and now?', waitForAnswerMs: 20_000 });
  const question = async () => (await owner.messages.list({ newest: true })).data.findLast(({ from }) => from === own);
  await owner.messages.send({ replyTo: (await vi.waitUntil(question, timeout)).id, body: 'write it', from: 'Peer' });
  expect((await asking).text).toContain('write it');
  await held.kill();
  const decisionIn = async (session: LiveClaude) =>
    (await session.hook('PreToolUse', { tool_name: 'Write', tool_input: {} })).output.hookSpecificOutput?.permissionDecision;
  expect(await decisionIn(held)).toBe('deny');
  // It has not heard the relay say what the mode is.
  await using next = await LiveClaude.start({ folder: held.folder, env: { ...env, AGENT_RELAY_URL: 'http://127.0.0.1:9' } });
  await next.ready();
  expect(await decisionIn(next)).toBe('deny');
  await next.hook('Notification', { notification_type: 'idle_prompt' });
  expect(await decisionIn(next)).toBeUndefined();
});

const readOnlyEnv = () => ({ AGENT_RELAY_URL: relay.url, AGENT_RELAY_TOKEN: relay.ownerToken, AGENT_RELAY_APPROVAL: 'read-only' });

async function beginMailTurn(session: LiveClaude): Promise<void> {
  await session.ready();
  const find = async () => (await owner.agents.list()).data.find(({ meta }) => meta['cwd'] === session.cwd);
  await owner.messages.send({ to: `id:${(await vi.waitUntil(find, timeout)).id}`, body: 'do it' });
  await expect.poll(() => session.frames.length, timeout).toBe(1);
  await session.hook('UserPromptSubmit', { prompt: session.frames[0]?.message.content });
}

test('a sidecar that `/mcp` starts anew leaves a turn with mail held, before the next one is there as well; the end of the session does not', async () => {
  const env = readOnlyEnv();
  await using held = await LiveClaude.start({ env });
  await beginMailTurn(held);
  await held.disconnect();
  const decisionIn = async (session: LiveClaude) =>
    (await session.hook('PreToolUse', { tool_name: 'Write', tool_input: {} })).output.hookSpecificOutput?.permissionDecision;
  expect(await decisionIn(held)).toBe('deny');
  await using next = await LiveClaude.start({ folder: held.folder, env });
  await next.ready();
  expect(await decisionIn(next)).toBe('deny');
  await next.hook('SessionEnd', { reason: 'other' });
  await next.disconnect();
  expect(existsSync(restrictedIn(next))).toBe(false);
});

test.each([
  ['is started anew', true],
  ['is gone', false],
])(
  'a turn with mail that had stopped when its sidecar ended is over with what a person types next, where the sidecar %s',
  async (_, isAnew) => {
    const env = readOnlyEnv();
    await using held = await LiveClaude.start({ env });
    await beginMailTurn(held);
    await held.hook('Stop');
    await held.disconnect();
    expect(existsSync(restrictedIn(held))).toBe(true);
    await using next = isAnew ? await LiveClaude.start({ folder: held.folder, env }) : null;
    await next?.ready();
    const session = next ?? held;
    await session.hook('UserPromptSubmit', { prompt: 'build it' });
    const { output } = await session.hook('PreToolUse', { tool_name: 'Write', tool_input: {} });
    expect([output.hookSpecificOutput?.permissionDecision, existsSync(restrictedIn(session))]).toEqual([undefined, false]);
  },
);

test('a hold that a hook noted which found no door holds the turn; none is held where a session starts', async () => {
  await mailTurn('guarded');
  await claude.hook('Stop');
  await claude.hook('UserPromptSubmit', { prompt: 'build it' });
  expect(await before('Write')).toBe('no word');
  writeFileSync(restrictedIn(claude), '');
  expect(await before('Write')).toBe('ask');
  await claude.hook('SessionStart', { source: 'compact' });
  expect(await before('Write')).toBe('ask');
  await claude.hook('SessionStart', { source: 'startup' });
  expect([await before('Write'), existsSync(restrictedIn(claude))]).toEqual(['no word', false]);
});
