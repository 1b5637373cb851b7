import type { AgentEvent, AgentEventType } from 'agent-relay-protocol';
import { AgentEventSchema } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { RunFrames } from '../src/agent-ws/run-frames.ts';
import { AiRelayFrames, aiRelayTypes } from '../src/ai-relay/frames.ts';

const turn = { turnId: 't' };
const item = { ...turn, itemId: 'i' };
const requestId = 'r';

type Of<Type extends AgentEventType> = Extract<AgentEvent, { type: Type }>;
type Table = {
  readonly [Type in AgentEventType]: readonly (readonly [event: Of<Type>, agentWs: readonly object[], aiRelay: readonly object[]])[];
};

const hookRun: Of<'hook.completed'> = {
  type: 'hook.completed',
  hook: 'lint',
  trigger: 'file_change',
  action: 'command',
  outcome: 'succeeded',
  durationMs: 5,
};

/** Every type of event, and what it is in either vocabulary. A new type does not compile until it stands here. */
const table: Table = {
  'session.started': [
    [
      { type: 'session.started', vendorSessionId: 'v', cwd: '/p', model: 'm' },
      [],
      [{ type: 'session_start', metadata: { tool: 'codex', folder: '/p', model: 'm', native_session_id: 'v' } }],
    ],
  ],
  'session.ended': [
    [
      { type: 'session.ended', reason: 'crashed', detail: 'why', exitCode: 2 },
      [],
      [{ type: 'session_end', status: 'crashed', text: 'why', exit_code: 2 }],
    ],
  ],
  'session.status': [[{ type: 'session.status', status: 'idle' }, [], [{ type: 'status', status: 'idle' }]]],
  'turn.started': [[{ type: 'turn.started', ...turn }, [], [{ type: 'status', status: 'running', metadata: { turn_id: 't' } }]]],
  'turn.completed': [
    [
      { type: 'turn.completed', ...turn, outcome: 'finished', text: 'all' },
      [{ type: 'complete', requestId }],
      [{ type: 'response', text: 'all', status: 'finished', metadata: { turn_id: 't' } }],
    ],
    [
      { type: 'turn.completed', ...turn, outcome: 'interrupted' },
      [{ type: 'error', message: 'Request cancelled', requestId }],
      [{ type: 'response', text: '', status: 'interrupted', metadata: { turn_id: 't' } }],
    ],
  ],
  'turn.failed': [
    [
      { type: 'turn.failed', ...turn, error: { code: 'agent_crashed', message: 'Codex exited with code 2: x', retryable: true } },
      [{ type: 'error', message: 'Codex CLI exited with code 2: x', requestId }],
      [
        {
          type: 'error',
          text: 'Codex exited with code 2: x',
          metadata: { code: 'agent_crashed', message: 'Codex exited with code 2: x', retryable: true, turn_id: 't' },
        },
      ],
    ],
    [
      { type: 'turn.failed', ...turn, error: { code: 'agent_crashed', message: 'Codex was ended by SIGKILL', retryable: true } },
      [{ type: 'error', message: 'Codex CLI killed by signal SIGKILL', requestId }],
      [{ type: 'error', text: 'Codex was ended by SIGKILL', metadata: expect.anything() }],
    ],
  ],
  'user.message': [[{ type: 'user.message', text: 'u' }, [], [{ type: 'user_message', text: 'u' }]]],
  'text.delta': [
    [
      { type: 'text.delta', ...item, text: 'a' },
      [{ type: 'chunk', content: 'a', requestId }],
      [{ type: 'stream_event', text: 'a', metadata: { kind: 'text_delta', item_id: 'i' } }],
    ],
    [{ type: 'text.delta', ...item, text: '' }, [], [{ type: 'stream_event', text: '', metadata: { kind: 'text_delta', item_id: 'i' } }]],
  ],
  'text.completed': [
    [
      { type: 'text.completed', ...item, text: 'all' },
      [{ type: 'chunk', content: 'all', requestId }],
      [{ type: 'assistant_message', text: 'all', content: [{ type: 'text', text: 'all' }] }],
    ],
  ],
  'reasoning.delta': [
    [
      { type: 'reasoning.delta', ...item, text: 'a' },
      [{ type: 'chunk', content: 'a', requestId, thinking: true }],
      [{ type: 'stream_event', text: 'a', metadata: { kind: 'thinking_delta', item_id: 'i' } }],
    ],
  ],
  'reasoning.completed': [
    [
      { type: 'reasoning.completed', ...item, text: 'all' },
      [{ type: 'chunk', content: 'all', requestId, thinking: true }],
      [{ type: 'reasoning', text: 'all' }],
    ],
  ],
  'tool.started': [
    [
      { type: 'tool.started', ...item, name: 'exec_command', kind: 'execute', title: 'ls', input: { command: 'ls' } },
      [{ type: 'tool_event', requestId, event: 'start', toolName: 'command', toolId: 'i', input: { command: 'ls' } }],
      [{ type: 'tool_call', tool: 'exec_command', args: { command: 'ls' }, tool_use_id: 'i', text: 'ls', metadata: { kind: 'execute' } }],
    ],
    [
      { type: 'tool.started', ...item, name: 'apply_patch', kind: 'edit', title: 'Edit', parentItemId: 'above' },
      [{ type: 'tool_event', requestId, event: 'start', toolName: 'apply_patch', toolId: 'i' }],
      [
        {
          ...{ type: 'tool_call', tool: 'apply_patch', args: {}, tool_use_id: 'i', text: 'Edit' },
          metadata: { kind: 'edit', parent_tool_use_id: 'above' },
        },
      ],
    ],
  ],
  'tool.updated': [[{ type: 'tool.updated', ...item, output: 'o' }, [], [{ type: 'tool_progress', tool_use_id: 'i', text: 'o' }]]],
  'tool.completed': [
    [
      { type: 'tool.completed', ...item, outcome: 'failed', output: 'o', exitCode: 3 },
      [{ type: 'tool_event', requestId, event: 'complete', toolId: 'i' }],
      [{ type: 'tool_result', tool_use_id: 'i', status: 'failed', text: 'o', content: 'o', exit_code: 3 }],
    ],
  ],
  'file.changed': [
    [
      {
        type: 'file.changed',
        changes: [
          { path: '/p/a', change: 'added' },
          { path: '/p/..notes', change: 'added' },
          { path: '/p/b', change: 'updated', diff: 'd' },
          { path: '/other/c', change: 'deleted' },
          { path: '/p/d', change: 'moved', movedTo: '/p/e' },
        ],
      },
      [
        { type: 'file_change', requestId, path: 'a', changeType: 'create' },
        { type: 'file_change', requestId, path: '..notes', changeType: 'create' },
        { type: 'file_change', requestId, path: 'b', changeType: 'update' },
        { type: 'file_change', requestId, path: '/other/c', changeType: 'delete' },
        { type: 'file_change', requestId, path: 'd', changeType: 'delete' },
        { type: 'file_change', requestId, path: 'e', changeType: 'create' },
      ],
      [
        { type: 'file_diff', file_path: '/p/a', status: 'added', content: [{ path: '/p/a', change: 'added' }] },
        { type: 'file_diff', file_path: '/p/..notes', status: 'added', content: [expect.anything()] },
        { type: 'file_diff', file_path: '/p/b', status: 'updated', content: [expect.anything()], diff: 'd' },
        { type: 'file_diff', file_path: '/other/c', status: 'deleted', content: [expect.anything()] },
        { type: 'file_diff', file_path: '/p/d', status: 'moved', content: [expect.anything()] },
      ],
    ],
  ],
  'plan.updated': [
    [
      { type: 'plan.updated', steps: [{ step: 's', status: 'active' }] },
      [],
      [{ type: 'stream_event', content: [{ step: 's', status: 'active' }], metadata: { kind: 'plan' } }],
    ],
  ],
  'approval.requested': [
    [
      {
        ...{ type: 'approval.requested', approvalId: 'a', kind: 'execute', title: 'Run', input: 'ls' },
        options: [{ id: 'allow', label: 'Allow once', outcome: 'allow' }],
      },
      [],
      [
        {
          ...{ type: 'permission_request', request_id: 'a', tool: 'execute', args: { value: 'ls' }, text: 'Run' },
          metadata: { options: [{ optionId: 'allow', name: 'Allow once', kind: 'allow' }] },
        },
      ],
    ],
    [
      { type: 'approval.requested', approvalId: 'a', kind: 'execute', title: 'Run', options: [] },
      [],
      [{ type: 'status', status: 'not_asked', request_id: 'a', tool: 'execute', args: {}, text: 'Run', metadata: { options: [] } }],
    ],
  ],
  'approval.resolved': [
    [
      { type: 'approval.resolved', approvalId: 'a', outcome: 'cancelled', by: 'session' },
      [],
      [{ type: 'permission_cancelled', request_id: 'a' }],
    ],
    [
      { type: 'approval.resolved', approvalId: 'a', outcome: 'denied', by: 'policy', message: 'no' },
      [],
      [{ type: 'status', request_id: 'a', status: 'denied', text: 'no', metadata: { by: 'policy' } }],
    ],
  ],
  'input.accepted': [
    [
      { type: 'input.accepted', messageId: 1, evidence: 'turn', state: 'seen' },
      [],
      [{ type: 'input_ack', metadata: { message_id: 1, evidence: 'turn', state: 'seen' } }],
    ],
  ],
  'usage.updated': [
    [
      { type: 'usage.updated', usage: { inputTokens: 1, outputTokens: 2 } },
      [],
      [{ type: 'stream_event', content: { inputTokens: 1, outputTokens: 2 }, metadata: { kind: 'usage' } }],
    ],
  ],
  'quota.warning': [
    [{ type: 'quota.warning', message: 'q', resetsAt: 5 }, [], [{ type: 'quota_warning', text: 'q', metadata: { resets_at: 5 } }]],
  ],
  'context.warning': [
    [
      { type: 'context.warning', usedTokens: 90, contextWindow: 100 },
      [],
      [{ type: 'context_warning', text: '90 of 100 tokens are used', context_pct: 90 }],
    ],
    [{ type: 'context.warning', usedTokens: 90, contextWindow: 0 }, [], [{ type: 'context_warning', text: '90 of 0 tokens are used' }]],
  ],
  'context.compacted': [[{ type: 'context.compacted' }, [], [{ type: 'context_compacted', text: 'Conversation compacted' }]]],
  'hook.completed': [
    [hookRun, [], [{ type: 'stream_event', raw: { data: hookRun }, metadata: { vendor: 'agent-relay', name: 'hook.completed' } }]],
  ],
  'output.line': [[{ type: 'output.line', stream: 'stderr', text: 'e' }, [], [{ type: 'stderr', text: 'e' }]]],
  'agent.error': [
    [
      { type: 'agent.error', code: 'c', message: 'm', willRetry: true },
      [],
      [{ type: 'status', status: 'retrying', text: 'm', metadata: { code: 'c' } }],
    ],
    [
      { type: 'agent.error', code: 'c', message: 'm', willRetry: false },
      [],
      [{ type: 'error', text: 'm', metadata: { code: 'c', retryable: false } }],
    ],
  ],
  'vendor.event': [
    [
      { type: 'vendor.event', vendor: 'v', name: 'n', data: 1 },
      [],
      [{ type: 'stream_event', raw: { data: 1 }, metadata: { vendor: 'v', name: 'n' } }],
    ],
  ],
};

const rows = Object.values(table).flat() as readonly (readonly [AgentEvent, readonly object[], readonly object[]])[];

describe('every event', () => {
  test('stands in the table', () => {
    expect(Object.keys(table).toSorted()).toEqual(AgentEventSchema.options.map((option) => option.shape.type.value).toSorted());
  });

  test.each(rows)('%j in the words of agent-ws', (event, agentWs) => {
    expect(new RunFrames({ provider: 'codex', cwd: '/p' }).frames(event, requestId)).toEqual(agentWs);
  });

  test.each(rows)('%j in the words of ai-relay', (event, _agentWs, aiRelay) => {
    const frames = new AiRelayFrames('codex').frames(event);
    expect(frames).toEqual(aiRelay);
    for (const frame of frames) {
      expect(aiRelayTypes).toContain(frame.type);
      expect(Object.values(frame)).not.toContain(null);
    }
  });
});

describe('what stands in several events', () => {
  test('text that was streamed is not said again by its whole, and what was missing of it is', () => {
    const frames = new RunFrames({ provider: 'claude', cwd: '/p' });
    const said = (event: AgentEvent) => frames.frames(event, requestId).map((frame) => ('content' in frame ? frame.content : frame.type));
    expect(said({ type: 'text.delta', ...item, text: 'one ' })).toEqual(['one ']);
    expect(said({ type: 'text.completed', ...item, text: 'one two' })).toEqual(['two']);
    expect(said({ type: 'text.completed', ...item, text: 'one two' })).toEqual([]);
    expect(said({ type: 'turn.completed', ...turn, outcome: 'finished' })).toEqual(['complete']);
  });

  test("a tool's end names it, with what it was given", () => {
    const frames = new RunFrames({ provider: 'claude', cwd: '/p' });
    frames.frames({ type: 'tool.started', ...item, name: 'Bash', kind: 'execute', title: 'ls', input: { command: 'ls' } }, requestId);
    expect(frames.frames({ type: 'tool.completed', ...item, outcome: 'succeeded' }, requestId)).toEqual([
      { type: 'tool_event', requestId, event: 'complete', toolName: 'Bash', toolId: 'i', input: { command: 'ls' } },
    ]);
  });

  test('a response repeats the last text where the end of the turn does not', () => {
    const frames = new AiRelayFrames('codex');
    frames.frames({ type: 'text.completed', ...item, text: 'the answer' });
    expect(frames.frames({ type: 'turn.completed', ...turn, outcome: 'finished' })).toMatchObject([
      { type: 'response', text: 'the answer' },
    ]);
  });

  test('an answer to a permission is told as one only where it was asked for', () => {
    const frames = new AiRelayFrames('codex');
    const options = [{ id: 'allow', label: 'Allow', outcome: 'allow' as const }];
    frames.frames({ type: 'approval.requested', approvalId: 'a', kind: 'execute', title: 'Run', options });
    const resolved = { type: 'approval.resolved', approvalId: 'a', outcome: 'allowed', by: 'owner' } as const;
    expect(frames.frames(resolved)).toMatchObject([{ type: 'control_response', request_id: 'a', status: 'allowed' }]);
    expect(frames.frames(resolved)).toMatchObject([{ type: 'status' }]);
  });
});
