import { costlyFields } from 'agent-relay-provider/testing';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { Todos, ToolUseResult } from '../src/provider/tool-results.ts';
import { ClaudeTranslator } from '../src/provider/translator.ts';
import * as frames from '../src/stream-json/frames.ts';
import * as messageFrames from '../src/stream-json/message-frames.ts';

const block = {
  type: 'tool_use',
  text: 'said',
  thinking: 'hmm',
  id: 'toolu_1',
  name: 'Bash',
  input: { command: 'ls' },
  tool_use_id: 'toolu_0',
  content: [{ type: 'text', text: 'x' }],
  is_error: true,
};
const usage = { input_tokens: 1, output_tokens: 2, cache_read_input_tokens: 3, cache_creation_input_tokens: 4 };

/** Every schema of what Claude Code says, with a frame that has all of its fields, and those that may fail it. */
const schemas: Readonly<Record<string, readonly [z.ZodType, object, readonly string[]]>> = {
  ClaudeFrameSchema: [frames.ClaudeFrameSchema, { type: 'x', subtype: 'y', uuid: 'u', session_id: 's' }, ['type']],
  ControlRequestFrame: [
    frames.ControlRequestFrame,
    { type: 'control_request', request_id: 'r', request: { subtype: 'interrupt' } },
    ['type', 'request_id'],
  ],
  ControlResponseFrame: [
    frames.ControlResponseFrame,
    {
      type: 'control_response',
      response: { subtype: 'success', request_id: 'r', response: { a: 1 }, error: 'no', pending_permission_requests: [{ a: 1 }] },
    },
    ['type', 'response', 'response.request_id'],
  ],
  ControlCancelFrame: [frames.ControlCancelFrame, { type: 'control_cancel_request', request_id: 'r' }, ['type', 'request_id']],
  PermissionRequestSchema: [
    frames.PermissionRequestSchema,
    {
      subtype: 'can_use_tool',
      tool_name: 'Bash',
      input: { command: 'ls' },
      tool_use_id: 't',
      permission_suggestions: [{ type: 'addRules', behavior: 'allow', rules: [{ toolName: 'Bash', ruleContent: 'ls' }] }],
    },
    ['subtype', 'tool_name', 'permission_suggestions[].type'],
  ],
  HookCallbackSchema: [
    frames.HookCallbackSchema,
    {
      subtype: 'hook_callback',
      input: {
        hook_event_name: 'PreToolUse',
        tool_name: 'Bash',
        agent_id: 'a',
        tool_input: { command: 'ls' },
        tool_response: { stdout: 'a' },
      },
      tool_use_id: 't',
    },
    ['subtype', 'input', 'input.hook_event_name'],
  ],
  ContentBlock: [messageFrames.ContentBlock, block, ['type']],
  AssistantFrame: [
    messageFrames.AssistantFrame,
    {
      type: 'assistant',
      error: 'rate_limit',
      parent_tool_use_id: 'p',
      message: { id: 'm', model: 'opus', usage, content: [block, { ...block, id: 'toolu_2' }] },
    },
    ['type', 'message.content[].type'],
  ],
  UserFrame: [
    messageFrames.UserFrame,
    { type: 'user', uuid: 'u', isReplay: true, message: { content: [block] }, tool_use_result: { a: 1 } },
    ['type', 'message.content[].type'],
  ],
  StreamEventFrame: [
    messageFrames.StreamEventFrame,
    {
      type: 'stream_event',
      parent_tool_use_id: 'p',
      event: { type: 'message_start', index: 1, message: { id: 'm' }, delta: { text: 'a', thinking: 'b' } },
    },
    ['type', 'event', 'event.type'],
  ],
  ResultFrame: [
    messageFrames.ResultFrame,
    {
      type: 'result',
      subtype: 'success',
      is_error: true,
      result: 'done',
      errors: ['a'],
      api_error_status: 429,
      terminal_reason: 'aborted_tools',
      duration_ms: 12,
      total_cost_usd: 0.5,
      usage,
      modelUsage: { opus: { contextWindow: 200_000 } },
    },
    ['type'],
  ],
  SystemFrame: [
    messageFrames.SystemFrame,
    {
      type: 'system',
      subtype: 'init',
      model: 'opus',
      cwd: '/work',
      claude_code_version: '2',
      permissionMode: 'default',
      tools: ['Bash', 'Read'],
      mcp_servers: [
        { name: 'a', status: 'connected' },
        { name: 'b', status: 'failed' },
      ],
      state: 'idle',
      status: 'requesting',
      error: 'overloaded',
      error_status: 529,
      task_id: 't',
      tool_use_id: 'toolu_1',
      description: 'd',
      attempt: 1,
      max_retries: 3,
    },
    ['type', 'mcp_servers[].name'],
  ],
  CommandLifecycleFrame: [
    messageFrames.CommandLifecycleFrame,
    { type: 'command_lifecycle', command_uuid: 'u', state: 'queued' },
    ['type', 'command_uuid', 'state'],
  ],
  RateLimitFrame: [
    messageFrames.RateLimitFrame,
    { type: 'rate_limit_event', rate_limit_info: { status: 'rejected', resetsAt: 1, rateLimitType: 'five_hour' } },
    ['type', 'rate_limit_info', 'rate_limit_info.status'],
  ],
  ToolResult: [
    ToolUseResult,
    { type: 'create', interrupted: true, structuredPatch: [{ oldStart: 1, oldLines: 2, newStart: 3, newLines: 4, lines: ['+a'] }] },
    [],
  ],
  Todos: [
    Todos,
    {
      todos: [
        { content: 'a', status: 'completed' },
        { content: 'b', status: 'pending' },
      ],
    },
    ['todos[].content'],
  ],
};

describe('every schema of what Claude Code says', () => {
  test('is in the table', () => {
    const exported = [...Object.keys(frames), ...Object.keys(messageFrames), 'ToolResult', 'Todos'];
    expect(Object.keys(schemas).sort()).toEqual(exported.sort());
  });

  test.each(Object.entries(schemas))('%s: an odd field costs itself and nothing else', (_, [schema, sample, decides]) => {
    expect(costlyFields(schema, { samples: [sample], decides })).toEqual([]);
  });
});

function turn(...said: { type: string; [field: string]: unknown }[]) {
  const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
  return said.flatMap((frame) => translator.translate(frame));
}
const requesting = { type: 'system', subtype: 'status', status: 'requesting' };

describe('frames with odd fields', () => {
  test('a result whose numbers are null or negative still tells its failure', () => {
    const odd = { usage: null, modelUsage: {}, total_cost_usd: null, num_turns: null, duration_ms: -1, errors: null };
    expect(turn(requesting, { type: 'result', subtype: 'success', is_error: true, result: 'Error: rate limited', ...odd }).at(-2)).toEqual({
      type: 'turn.failed',
      turnId: 'turn-1',
      error: { code: 'agent_error', message: 'Error: rate limited', retryable: true },
    });
  });

  test('a block that cannot be read does not lose the text beside it', () => {
    const content = [{ type: 'tool_use', id: 't', name: 'Bash', input: null }, null, { type: 3 }, { type: 'text', text: 'good' }];
    const events = turn({ type: 'assistant', message: { id: 'm', content } });
    expect(events.map((event) => ('text' in event ? event.text : event.type))).toEqual([
      'turn.started',
      'session.status',
      'tool.started',
      'good',
    ]);
  });

  test('a turn that begins with the frame of its failure keeps the code and whether to try again', () => {
    const failure = { type: 'assistant', error: 'authentication_failed', message: { id: 'm', content: [] } };
    expect(turn(failure, { type: 'result', subtype: 'success', is_error: true, result: 'Not logged in' }).at(-2)).toMatchObject({
      type: 'turn.failed',
      error: { code: 'authentication_failed', retryable: false },
    });
  });
});
