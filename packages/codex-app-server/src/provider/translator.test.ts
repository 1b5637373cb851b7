import type { AgentEvent } from 'agent-relay-protocol';
import { AgentEventSchema } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { readFixture, readRequests } from '../../test/read-fixture.ts';
import type { CodexNotification } from '../app-server/notifications.ts';
import { CodexTranslator } from './translator.ts';

const translator = () =>
  new CodexTranslator({ relayServers: new Set(['agent-relay']), messageIdsOf: (clientId) => (clientId === 'relay-1' ? [7, 8] : []) });

const translateAll = (notifications: readonly CodexNotification[]): readonly AgentEvent[] => {
  const one = translator();
  return notifications.flatMap((notification) => one.translate(notification));
};

const types = (events: readonly AgentEvent[]) => events.map(({ type }) => type);
const inThread = { threadId: 'thread', turnId: 'turn' };

describe.each(['0.169.0', '0.171.0'])('a recorded turn of Codex %s', (version) => {
  const recorded = (name: string) => translateAll(readFixture(`${version}-${name}`));

  test('that only says something becomes reasoning, text, usage and an end with the last text', () => {
    const events = recorded('say');
    expect(types(events)).toEqual([
      'turn.started',
      'session.status',
      'user.message',
      'reasoning.delta',
      'reasoning.completed',
      'text.delta',
      'text.completed',
      'usage.updated',
      'turn.completed',
      'session.status',
    ]);
    expect(events.find(({ type }) => type === 'user.message')).toMatchObject({
      text: 'think: hmm && then say: The answer is 42.',
      messageIds: [7, 8],
    });
    expect(events.find(({ type }) => type === 'turn.completed')).toMatchObject({ outcome: 'finished', text: 'The answer is 42.' });
  });

  test('a command that fails is an executed tool with its output and exit code', () => {
    const events = recorded('command');
    expect(events.filter(({ type }) => type === 'tool.started' || type === 'tool.completed')).toEqual([
      {
        type: 'tool.started',
        turnId: expect.any(String),
        itemId: expect.stringMatching(/^call_/),
        name: 'exec_command',
        kind: 'execute',
        title: "/bin/bash -lc 'printf out; exit 3'",
        input: { command: "/bin/bash -lc 'printf out; exit 3'", cwd: '/home/user/project' },
      },
      {
        type: 'tool.completed',
        turnId: expect.any(String),
        itemId: expect.stringMatching(/^call_/),
        outcome: 'failed',
        output: 'out',
        exitCode: 3,
      },
    ]);
  });

  test('the usage of a turn is the sum of its model calls', () => {
    const events = recorded('command');
    const updates = events.flatMap((event) => (event.type === 'usage.updated' ? [event.usage] : []));
    expect(updates).toHaveLength(2);
    expect(updates[1]?.inputTokens).toBeGreaterThan(1.9 * (updates[0]?.inputTokens ?? 0));
    expect(events.find(({ type }) => type === 'turn.completed')).toMatchObject({ usage: updates[1] });
  });

  test('an edit tells the file, by its whole path, and what changed', () => {
    const events = recorded('edit');
    expect(events.filter(({ type }) => type === 'file.changed')).toEqual([
      {
        type: 'file.changed',
        turnId: expect.any(String),
        itemId: expect.stringMatching(/^call_/),
        changes: [{ path: '/home/user/project/note.txt', change: 'added', diff: 'hello\n' }],
      },
    ]);
    expect(events.find(({ type }) => type === 'tool.completed')).toMatchObject({ outcome: 'succeeded' });
  });

  test('a call of an MCP server is a tool with what was asked and answered', () => {
    expect(recorded('mcp-call').filter(({ type }) => type.startsWith('tool.'))).toMatchObject([
      { name: 'relay_send', kind: 'message', title: 'agent-relay: relay_send', input: { to: 'Bob' } },
      { outcome: 'succeeded', output: 'the relay answered' },
    ]);
  });

  test('a plan that was written is told as its points', () => {
    expect(recorded('plan').filter(({ type }) => type === 'plan.updated')).toMatchObject([
      { steps: [{ step: 'Read the code' }, { step: 'Change it' }] },
    ]);
  });

  test('a call of a tool of ours is a tool with what was asked and answered', () => {
    expect(recorded('own-tool').filter(({ type }) => type.startsWith('tool.'))).toMatchObject([
      { name: 'relay_send', kind: 'message', title: 'agent-relay: relay_send', input: { to: 'Bob' } },
      { outcome: 'succeeded', output: 'the session answered' },
    ]);
  });

  test('a search of the web is told once it is known what is looked for', () => {
    const events = recorded('web-search');
    const title = 'Search how tall is the tower';
    expect(events.filter(({ type }) => type.startsWith('tool.'))).toMatchObject([
      { type: 'tool.started', name: 'web_search', kind: 'search', title, input: { query: 'how tall is the tower' } },
      { type: 'tool.completed', outcome: 'succeeded' },
    ]);
    expect(events.find(({ type }) => type === 'turn.completed')).toMatchObject({ outcome: 'finished', text: 'Tall.' });
  });

  test('what a sub-agent does is shown under the call that started it, and what it says is no answer of the agent', () => {
    const events = recorded('sub-agent');
    const [call, below] = events.flatMap((event) => (event.type === 'tool.started' ? [event] : []));
    expect([call, below]).toMatchObject([
      { name: 'spawnAgent' },
      { name: 'exec_command', parentItemId: call?.itemId, turnId: call?.turnId },
    ]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'tool.completed', itemId: below?.itemId, output: 'from below\n' }));
    expect(events.flatMap((event) => (event.type === 'text.completed' ? [event.text] : []))).toEqual(['parent done']);
    expect(events.flatMap((event) => (event.type === 'vendor.event' ? [event.data] : []))).toContainEqual({
      parentItemId: call?.itemId,
      text: 'child done',
    });
  });

  test('an edit that is allowed for the session is asked once, and its diff is told once, whole, when the turn ends', () => {
    const events = recorded('allowed-for-session');
    expect(readRequests(`${version}-allowed-for-session`)).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'file.changed')).toHaveLength(2);
    const diffs = events.flatMap((event) => (event.type === 'vendor.event' && event.name === 'turn/diff' ? [event.data] : []));
    expect(diffs).toEqual([{ turnId: expect.any(String), diff: expect.stringContaining('twice.txt') }]);
  });

  test('steering keeps the turn, an interrupt ends it, and the queue begins another', () => {
    const ends = (name: string) =>
      recorded(name).flatMap((event) => (event.type === 'turn.completed' ? [[event.outcome, event.text ?? '']] : []));
    expect(ends('steered')).toEqual([['finished', 'steered']]);
    expect(ends('interrupted')).toEqual([['interrupted', '']]);
    expect(
      ends('queued')
        .map(([, text]) => text)
        .at(-1),
    ).toBe('from the queue');
  });

  test('a compaction is told', () => {
    expect(types(recorded('compacted'))).toContain('context.compacted');
  });

  test('a declined edit changed no file', () => {
    const events = recorded('declined-edit');
    expect(types(events)).not.toContain('file.changed');
    expect(events.find(({ type }) => type === 'tool.completed')).toMatchObject({ outcome: 'declined' });
    expect(events.flatMap((event) => (event.type === 'session.status' ? [event.status] : []))).toEqual(['busy', 'waiting', 'busy', 'idle']);
  });

  test('a failed turn says why, once', () => {
    const events = recorded('failed');
    expect(types(events)).not.toContain('agent.error');
    expect(events.find(({ type }) => type === 'turn.failed')).toMatchObject({
      error: { code: 'rate_limited', retryable: true, message: expect.stringContaining('429') },
    });
  });

  test.each([
    'say',
    'edit',
    'declined-edit',
    'allowed-edit',
    'failed',
    'steered',
    'interrupted',
    'queued',
    'compacted',
    'mcp-call',
    'own-tool',
    'plan',
    'web-search',
    'sub-agent',
  ])('%s: every event is one of the protocol', (name) => {
    for (const event of recorded(name)) expect(AgentEventSchema.safeParse(event).error).toBeUndefined();
  });
});

describe('what belongs to the turn besides', () => {
  const one = (method: string, params: object) => translator().translate({ method, params: { ...inThread, ...params } });
  const item = (raw: object) => one('item/completed', { item: { id: 'i', ...raw } });

  test('a hook that runs is a tool, with what it said; one of no turn is passed on', () => {
    const run = { id: 'h', eventName: 'preToolUse', sourcePath: '/hooks.json', status: 'blocked', entries: [{ text: 'Not here.' }] };
    expect([...one('hook/started', { run }), ...one('hook/completed', { run })]).toEqual([
      { type: 'tool.started', turnId: 'turn', itemId: 'hook:h', name: 'hook', kind: 'other', title: 'preToolUse hook of /hooks.json' },
      { type: 'tool.completed', turnId: 'turn', itemId: 'hook:h', outcome: 'declined', output: 'Not here.' },
    ]);
    expect(types(one('hook/started', { run, turnId: null }))).toEqual(['vendor.event']);
  });

  test('the hook of the session itself is not shown; that it could not run is told once', () => {
    const one = translator();
    const told = (method: string, run: object) =>
      one.translate({
        method,
        params: { ...inThread, run: { id: 'h', eventName: 'preToolUse', sourcePath: '/<session-flags>/config.toml', ...run } },
      });
    const failed = { status: 'failed', entries: [{ text: 'hook exited with code 127' }] };
    expect([...told('hook/started', {}), ...told('hook/completed', { status: 'blocked', entries: [{ text: 'Reserved' }] })]).toEqual([]);
    expect([...told('hook/completed', failed), ...told('hook/completed', failed)]).toEqual([
      {
        type: 'agent.error',
        code: 'vendor_warning',
        message: 'Codex could not ask whether it may change what it changes, and goes on without: hook exited with code 127',
        willRetry: true,
      },
    ]);
  });

  test('what a hook puts into the conversation is told as said to the agent', () => {
    expect(item({ type: 'hookPrompt', fragments: [{ text: 'Go' }, { text: 'on' }] })).toEqual([
      { type: 'user.message', turnId: 'turn', text: 'Go\non' },
    ]);
  });

  test('a plan that is a text becomes its points', () => {
    expect(item({ type: 'plan', text: 'First this:\n\n- [ ] read it\n2. mend it\n' })).toEqual([
      { type: 'plan.updated', turnId: 'turn', steps: ['read it', 'mend it'].map((step) => ({ step, status: 'pending' })) },
    ]);
  });

  test('a review is told when it begins and when it is over', () => {
    const [began, ended] = [item({ type: 'enteredReviewMode', review: 'the changes' }), item({ type: 'exitedReviewMode', review: 'fine' })];
    expect([began[0], ended[0]]).toMatchObject([{ detail: 'review: the changes' }, { detail: 'the review is over' }]);
    expect(ended[1]).toMatchObject({ type: 'vendor.event', name: 'review', data: { review: 'fine' } });
  });

  test('a sub-agent that tells of itself is a tool', () => {
    expect(item({ type: 'subAgentActivity', kind: 'started', agentThreadId: 'x', agentPath: '/root/x' })).toMatchObject([
      { type: 'tool.started', name: 'sub_agent', title: 'Sub-agent /root/x: started' },
      { type: 'tool.completed', outcome: 'succeeded' },
    ]);
  });

  test('a warning about the thread reaches people', () => {
    expect(one('warning', { message: 'Careful' })).toEqual([
      { type: 'agent.error', code: 'vendor_warning', message: 'Careful', willRetry: true },
    ]);
  });
});

describe('notifications', () => {
  test('a tool of the relay is a message, of another server it is not', () => {
    const call = (server: string) => ({
      method: 'item/started',
      params: {
        ...inThread,
        item: { type: 'mcpToolCall', id: server, server, tool: 'relay_send', status: 'inProgress', arguments: { to: 'Lead' } },
      },
    });
    const events = translateAll([call('agent-relay'), call('other')]);
    expect(events).toMatchObject([
      { type: 'tool.started', name: 'relay_send', kind: 'message', input: { to: 'Lead' } },
      { type: 'tool.started', kind: 'other' },
    ]);
  });

  test('a tool that completed unseen is told as started first, and never twice', () => {
    const item = { type: 'commandExecution', id: 'late', command: 'ls', cwd: '/', status: 'completed', exitCode: 0 };
    const completed = { method: 'item/completed', params: { ...inThread, item } };
    const events = translateAll([completed, { method: 'item/started', params: { ...inThread, item } }]);
    expect(types(events)).toEqual(['tool.started', 'tool.completed']);
  });

  test('a retry is an error that says so', () => {
    const error = {
      message: 'Reconnecting... 1/5',
      codexErrorInfo: { responseStreamDisconnected: { httpStatusCode: null } },
      additionalDetails: null,
    };
    expect(translateAll([{ method: 'error', params: { ...inThread, error, willRetry: true } }])).toEqual([
      { type: 'agent.error', code: 'response_stream_disconnected', message: 'Reconnecting... 1/5', willRetry: true },
    ]);
  });

  test('a nearly full context is told once, and again after it was compacted', () => {
    const tokens = (totalTokens: number) => ({
      method: 'thread/tokenUsage/updated',
      params: { ...inThread, tokenUsage: { total: {}, last: { totalTokens }, modelContextWindow: 1000 } },
    });
    const compaction = { method: 'item/completed', params: { ...inThread, item: { type: 'contextCompaction', id: 'c' } } };
    const events = translateAll([tokens(800), tokens(900), tokens(950), compaction, tokens(100), tokens(900)]);
    expect(types(events).filter((type) => type.startsWith('context.'))).toEqual([
      'context.warning',
      'context.compacted',
      'context.warning',
    ]);
  });

  test('a plan keeps its steps', () => {
    const plan = [
      { step: 'look', status: 'completed' },
      { step: 'build', status: 'inProgress' },
      { step: 'ship', status: 'pending' },
    ];
    expect(translateAll([{ method: 'turn/plan/updated', params: { ...inThread, plan } }])).toEqual([
      {
        type: 'plan.updated',
        turnId: 'turn',
        steps: [
          { step: 'look', status: 'done' },
          { step: 'build', status: 'active' },
          { step: 'ship', status: 'pending' },
        ],
      },
    ]);
  });

  test('what is not known, or does not look as expected, is passed on as the vendor said it', () => {
    const unknown = { method: 'thread/dreamt', params: { threadId: 'thread', of: 'sheep' } };
    const broken = { method: 'turn/started', params: { threadId: 'thread' } };
    const item = { method: 'item/completed', params: { ...inThread, item: { type: 'hologram', id: 'h' } } };
    expect(translateAll([unknown, broken, item])).toEqual([
      { type: 'vendor.event', vendor: 'codex', name: 'thread/dreamt', data: unknown.params },
      { type: 'vendor.event', vendor: 'codex', name: 'turn/started', data: broken.params },
      { type: 'vendor.event', vendor: 'codex', name: 'item/hologram', data: item.params.item },
    ]);
  });

  test('a moved file says where it went', () => {
    const changes = [
      { path: '/a', kind: { type: 'update', move_path: '/b' }, diff: '' },
      { path: '/c', kind: { type: 'delete' } },
    ];
    const events = translateAll([
      { method: 'item/completed', params: { ...inThread, item: { type: 'fileChange', id: 'e', changes, status: 'completed' } } },
    ]);
    expect(events.find(({ type }) => type === 'file.changed')).toMatchObject({
      changes: [
        { path: '/a', change: 'moved', movedTo: '/b' },
        { path: '/c', change: 'deleted' },
      ],
    });
  });
});
