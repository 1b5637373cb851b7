import type { AgentEvent } from 'agent-relay-protocol';
import { AgentEventSchema } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { readFixture } from '../../test/read-fixture.ts';
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

describe('a recorded turn of Codex 0.169', () => {
  test('that only says something becomes reasoning, text, usage and an end with the last text', () => {
    const events = translateAll(readFixture('say'));
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
    const events = translateAll(readFixture('command'));
    expect(events.filter(({ type }) => type.startsWith('tool.'))).toEqual([
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
    const events = translateAll(readFixture('command'));
    const updates = events.flatMap((event) => (event.type === 'usage.updated' ? [event.usage] : []));
    expect(updates).toHaveLength(2);
    expect(updates[1]?.inputTokens).toBe(19_538);
    expect(events.find(({ type }) => type === 'turn.completed')).toMatchObject({ usage: updates[1] });
  });

  test('an edit tells the file, by its whole path, and what changed', () => {
    const events = translateAll(readFixture('edit'));
    expect(events.filter(({ type }) => type === 'file.changed')).toEqual([
      {
        type: 'file.changed',
        turnId: expect.any(String),
        changes: [{ path: '/home/user/project/note.txt', change: 'added', diff: 'hello\n' }],
      },
    ]);
    expect(events.find(({ type }) => type === 'tool.completed')).toMatchObject({ outcome: 'succeeded' });
  });

  test('a declined edit changed no file', () => {
    const events = translateAll(readFixture('declined-edit'));
    expect(types(events)).not.toContain('file.changed');
    expect(events.find(({ type }) => type === 'tool.completed')).toMatchObject({ outcome: 'declined' });
    expect(events.flatMap((event) => (event.type === 'session.status' ? [event.status] : []))).toEqual(['busy', 'waiting', 'busy', 'idle']);
  });

  test('a failed turn says why, once', () => {
    const events = translateAll(readFixture('failed'));
    expect(types(events)).not.toContain('agent.error');
    expect(events.find(({ type }) => type === 'turn.failed')).toMatchObject({
      error: { code: 'rate_limited', retryable: true, message: expect.stringContaining('429') },
    });
  });

  test.each(['say', 'command', 'edit', 'declined-edit', 'failed'])('%s: every event is one of the protocol', (name) => {
    for (const event of translateAll(readFixture(name))) expect(AgentEventSchema.safeParse(event).error).toBeUndefined();
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
