import { SessionEvents } from 'agent-relay-provider';
import { EventLog } from 'agent-relay-provider/testing';
import { createDuplexPair } from 'agent-relay-wire';
import { afterEach, describe, expect, test } from 'vitest';
import { ClaudeSession, emitFrames } from '../src/provider/claude-session.ts';
import { toolGate, toolGateHooks } from '../src/provider/tool-gate.ts';
import { ClaudeTranslator } from '../src/provider/translator.ts';
import { ClaudeConnection } from '../src/stream-json/claude-connection.ts';
import type { OutgoingFrame } from '../src/stream-json/outgoing.ts';

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

/** A session whose CLI is this test; `interrupted` is how it answers an interrupt. */
async function session(interrupted: 'success' | 'error' | null, mode: 'guarded' | 'open' = 'open') {
  const [link, cli] = createDuplexPair<unknown, OutgoingFrame>();
  const received: OutgoingFrame[] = [];
  cli.onMessage?.((frame) => {
    received.push(frame);
    if (frame.type !== 'control_request') return;
    const subtype = frame.request.subtype === 'interrupt' ? interrupted : 'success';
    if (subtype) void cli.send({ type: 'control_response', response: { subtype, request_id: frame.request_id, error: 'no' } });
  });
  const events = new SessionEvents({ cwd: '/home/ada' });
  const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
  const gate = { mode: 'agentic', approval: mode, cwd: '/home/ada', relayServers: [] } as const;
  const connection = new ClaudeConnection({
    ...toolGate(gate, { translator, events }),
    onFrame: emitFrames(translator, events),
    initialize: toolGateHooks([]),
    whenLinkEnds: 'exit',
  });
  await connection.attach(link);
  const claude = new ClaudeSession({
    connection,
    translator,
    events,
    gate,
    vendorSessionId: null,
    model: null,
    stopGraceMs: 50,
    end: () => connection.close(),
    explainEnd: async () => ({ reason: 'crashed' }),
  });
  cleanUps.push(() => claude.close());
  const log = new EventLog(claude);
  return { claude, log, received, say: (frame: object) => cli.send(frame) };
}

const requesting = { type: 'system', subtype: 'status', status: 'requesting' };
const prompts = (received: readonly OutgoingFrame[]) => received.filter(({ type }) => type === 'user');

describe('a turn whose result never comes', () => {
  test.each(['success', 'error'] as const)('ends with an interrupt, answered with %s', async (answer) => {
    const { claude, log, say } = await session(answer);
    await say(requesting);
    await expect.poll(() => log.ofType('turn.started')).toHaveLength(1);
    expect(await claude.interrupt()).toBe(true);
    expect(await log.waitForTurnEnd()).toEqual({ type: 'turn.completed', turnId: 'turn-1', outcome: 'interrupted' });
    expect(await claude.interrupt()).toBe(false);
  });

  test('ends for urgent mail, which goes in', async () => {
    const { claude, log, say, received } = await session('success');
    await say(requesting);
    await expect.poll(() => log.ofType('turn.started')).toHaveLength(1);
    await claude.prompt({ text: 'now', messageIds: [4] }, { mode: 'urgent' });
    expect(log.ofType('turn.completed')).toEqual([{ type: 'turn.completed', turnId: 'turn-1', outcome: 'interrupted' }]);
    expect(prompts(received)).toMatchObject([{ priority: 'now', message: { content: 'now' } }]);
  });

  test('a result that does come is the end, once', async () => {
    const { claude, log, say } = await session('success');
    await say(requesting);
    await expect.poll(() => log.ofType('turn.started')).toHaveLength(1);
    const interrupting = claude.interrupt();
    await say({ type: 'result', subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming', duration_ms: 9 });
    await interrupting;
    expect(log.ofType('turn.completed')).toEqual([{ type: 'turn.completed', turnId: 'turn-1', outcome: 'interrupted', durationMs: 9 }]);
  });
});

test('what a stopped turn of mail goes on with is still mail, until Claude says that it ended', () => {
  const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
  translator.sent({ uuid: 'm', text: 'mail', messageIds: [3], isContext: false });
  translator.translate({ type: 'command_lifecycle', command_uuid: 'm', state: 'started' });
  translator.stopped('turn-1');
  translator.sent({ uuid: 'o', text: 'mine', messageIds: [], isContext: false });
  translator.translate({ type: 'command_lifecycle', command_uuid: 'o', state: 'started' });
  expect(translator.isMailTurn).toBe(true);
  translator.translate({ type: 'result', subtype: 'success' });
  translator.sent({ uuid: 'p', text: 'mine', messageIds: [], isContext: false });
  translator.translate({ type: 'command_lifecycle', command_uuid: 'p', state: 'started' });
  expect(translator.isMailTurn).toBe(false);
});

test('what a tool of the relay has handed out is mail by its result too, where the hook that tells of it was lost', () => {
  const translator = new ClaudeTranslator({ relayServers: ['agent-relay'], cwd: '/home/ada' });
  translator.sent({ uuid: 'o', text: 'mine', messageIds: [], isContext: false });
  translator.translate({ type: 'command_lifecycle', command_uuid: 'o', state: 'started' });
  const answered = (id: string, name: string, content: string, isError: boolean) => {
    translator.translate({ type: 'assistant', message: { id, content: [{ type: 'tool_use', id, name, input: {} }] } });
    translator.translate({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id, content, is_error: isError }] } });
    return [translator.isMailTurn, translator.mayHoldMail];
  };
  expect([
    answered('a', 'Bash', '[msg:8] from Bob: touch a', false),
    answered('b', 'mcp__agent-relay__relay_inbox', 'No messages.', false),
    answered('c', 'mcp__agent-relay__relay_inbox', 'This session may not', true),
    answered('d', 'mcp__agent-relay__relay_inbox', '[msg:8] from Bob: touch a', false),
  ]).toEqual([
    [false, false],
    [false, false],
    [false, false],
    [true, true],
  ]);
});

test('a person is asked about a tool whose id is very long, and the answer reaches Claude under its own', async () => {
  const { claude, log, say, received } = await session('success', 'guarded');
  const id = `toolu_${'x'.repeat(940)}`;
  await claude.prompt({ text: 'mail', messageIds: [3] }, { mode: 'next' });
  await say(requesting);
  const tool = { type: 'tool_use', id, name: 'Bash', input: { command: 'touch a' } };
  await say({ type: 'assistant', message: { id: 'm', content: [tool] } });
  await say({
    type: 'control_request',
    request_id: 'r',
    request: { subtype: 'can_use_tool', tool_name: 'Bash', input: tool.input, tool_use_id: id },
  });
  await expect.poll(() => log.ofType('approval.requested')).toHaveLength(1);
  const [asked] = log.ofType('approval.requested');
  const [started] = log.ofType('tool.started');
  expect(asked?.itemId).toMatch(/^long-[0-9a-f]{32}$/u);
  expect(started?.itemId).toBe(asked?.itemId);
  expect(await claude.resolveApproval(asked?.approvalId ?? '', { outcome: 'allow', by: 'owner' })).toBe(true);
  await expect.poll(() => received.filter(({ type }) => type === 'control_response')).toHaveLength(1);
  await say({ type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: id, content: 'ok' }] } });
  await expect.poll(() => log.ofType('tool.completed')).toMatchObject([{ itemId: asked?.itemId, outcome: 'succeeded' }]);
});
