import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';
import { SessionEvents } from 'agent-relay-provider';
import { brokenEventRules, costlyFields } from 'agent-relay-provider/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { KnownItemSchema } from '../src/app-server/items.ts';
import * as methods from '../src/app-server/methods.ts';
import {
  type CodexNotification,
  notificationSchemas,
  ThreadStatusSchema,
  TurnErrorSchema,
  TurnSchema,
} from '../src/app-server/notifications.ts';
import { approvalSchemas } from '../src/provider/approval-schemas.ts';
import { CodexTranslator } from '../src/provider/translator.ts';
import { readFixture } from './read-fixture.ts';

type Row = readonly [schema: z.ZodType, samples: readonly object[], decides: readonly string[]];

const inTurn = { threadId: 't', turnId: 'u' };
const place = ['threadId', 'turnId'];
const error = { message: 'no', codexErrorInfo: 'other', additionalDetails: 'more' };
const turn = { id: 'u', status: 'failed', items: [{ type: 'agentMessage', id: 'a' }], error, durationMs: 12 };
const inTurnObject = ['id', 'items[].id', 'items[].type'];
const withinTurn = ['threadId', 'turn', ...inTurnObject.map((field) => `turn.${field}`)];
const tokens = { totalTokens: 1, inputTokens: 2, cachedInputTokens: 3, outputTokens: 4, reasoningOutputTokens: 5 };
const item = { ...inTurn, item: { type: 'agentMessage', id: 'a', text: 'x' } };
const delta: readonly [readonly object[], readonly string[]] = [[{ ...inTurn, itemId: 'i', delta: 'x' }], [...place, 'itemId', 'delta']];

const hookRun = { id: 'h', eventName: 'stop', sourcePath: '/h', status: 'completed', entries: [{ text: 'x' }] };
const limitWindow = { usedPercent: 85, windowDurationMins: 300, resetsAt: 9 };

const notifications: Readonly<Record<keyof typeof notificationSchemas, readonly [readonly object[], readonly string[]]>> = {
  'thread/status/changed': [
    [{ threadId: 't', status: { type: 'active', activeFlags: ['x', 'y'] } }],
    ['threadId', 'status', 'status.type'],
  ],
  'thread/closed': [[{ threadId: 't' }], ['threadId']],
  'thread/tokenUsage/updated': [[{ ...inTurn, tokenUsage: { last: tokens, modelContextWindow: 9 } }], [...place, 'tokenUsage']],
  'turn/started': [[{ threadId: 't', turn }], withinTurn],
  'turn/completed': [[{ threadId: 't', turn }], withinTurn],
  'turn/plan/updated': [[{ ...inTurn, plan: [{ step: 'a', status: 'inProgress' }] }], [...place, 'plan[].step']],
  'item/started': [[item], [...place, 'item', 'item.id', 'item.type']],
  'item/completed': [[item], [...place, 'item', 'item.id', 'item.type']],
  'item/agentMessage/delta': delta,
  'item/reasoning/summaryTextDelta': delta,
  'item/reasoning/textDelta': delta,
  'item/commandExecution/outputDelta': delta,
  'mcpServer/startupStatus/updated': [[{ name: 'm', status: 'failed', error: 'no' }], ['name', 'status']],
  'serverRequest/resolved': [[{ threadId: 't', requestId: 4 }], ['threadId', 'requestId']],
  'turn/diff/updated': [[{ ...inTurn, diff: '+' }], [...place, 'diff']],
  'hook/started': [[{ ...inTurn, run: hookRun }], ['threadId', 'run', 'run.id']],
  'hook/completed': [[{ ...inTurn, run: hookRun }], ['threadId', 'run', 'run.id']],
  warning: [[{ threadId: 't', message: 'm' }], ['message']],
  guardianWarning: [[{ threadId: 't', message: 'm' }], ['threadId', 'message']],
  configWarning: [[{ summary: 's', details: 'd', path: 'p' }], ['summary']],
  deprecationNotice: [[{ summary: 's', details: 'd' }], ['summary']],
  'account/updated': [[{ authMode: 'chatgpt' }], []],
  'account/login/completed': [[{ success: true, error: 'e' }], ['success']],
  'account/rateLimits/updated': [
    [{ rateLimits: { limitName: 'n', primary: limitWindow, secondary: limitWindow, rateLimitReachedType: 'x' } }],
    ['rateLimits'],
  ],
  'client/subAgent': [
    [{ ...inTurn, itemId: 'i', notification: { method: 'm', params: {} } }],
    [...place, 'itemId', 'notification', 'notification.method'],
  ],
  'client/attachedElsewhere': [[{ threadId: 't', isElsewhere: true }], ['threadId', 'isElsewhere']],
  error: [[{ ...inTurn, error, willRetry: true }], ['threadId']],
};

const change = { path: '/a', kind: { type: 'update', move_path: '/b' }, diff: '+' };
const items: readonly object[] = [
  { type: 'userMessage', id: 'i', clientId: 'c', content: [{ text: 'x' }] },
  { type: 'agentMessage', id: 'i', text: 'x' },
  { type: 'reasoning', id: 'i', summary: ['a', 'b'], content: ['c'] },
  { type: 'commandExecution', id: 'i', command: 'ls', cwd: '/', status: 'failed', aggregatedOutput: 'x', exitCode: 1 },
  { type: 'fileChange', id: 'i', changes: [change, change], status: 'completed' },
  {
    type: 'mcpToolCall',
    id: 'i',
    server: 's',
    tool: 't',
    status: 'completed',
    arguments: { a: 1 },
    result: { content: [{ text: 'x' }] },
    error: { message: 'no' },
  },
  { type: 'dynamicToolCall', id: 'i', namespace: 'n', tool: 't', status: 'completed', arguments: 'a', contentItems: [{ text: 'x' }] },
  { type: 'webSearch', id: 'i', query: 'q' },
  { type: 'imageView', id: 'i', path: '/a' },
  { type: 'collabAgentToolCall', id: 'i', tool: 't', status: 'completed', prompt: 'p', receiverThreadIds: ['r'] },
  { type: 'subAgentActivity', id: 'i', kind: 'started', agentThreadId: 'a', agentPath: '/root/a' },
  { type: 'plan', id: 'i', text: '- one' },
  { type: 'hookPrompt', id: 'i', fragments: [{ text: 'x' }] },
  { type: 'enteredReviewMode', id: 'i', review: 'r' },
  { type: 'exitedReviewMode', id: 'i', review: 'r' },
  { type: 'contextCompaction', id: 'i' },
];

const about = { ...inTurn, itemId: 'i', reason: 'r' };
const amendments = { proposedExecpolicyAmendment: ['ls'], proposedNetworkPolicyAmendments: [{ host: 'h', action: 'allow' }] };
const approvals: Readonly<Record<keyof typeof approvalSchemas, readonly [readonly object[], readonly string[]]>> = {
  command: [
    [{ ...about, kind: 'command', command: 'ls', cwd: '/', networkApprovalContext: { host: 'h' }, ...amendments }],
    // A rule is offered whole or not at all.
    ['threadId', 'proposedExecpolicyAmendment', 'proposedNetworkPolicyAmendments[].host', 'proposedNetworkPolicyAmendments[].action'],
  ],
  fileChange: [[{ ...about, grantRoot: '/' }], ['threadId', 'grantRoot']],
  permissions: [[{ ...about, cwd: '/', permissions: { a: 1 } }], ['threadId']],
  olderCommand: [[{ conversationId: 't', callId: 'c', command: ['ls'], cwd: '/', reason: 'r' }], ['conversationId', 'command']],
  olderPatch: [
    [{ conversationId: 't', callId: 'c', fileChanges: { '/a': { type: 'add', move_path: '/b' } }, grantRoot: '/', reason: 'r' }],
    ['conversationId', 'fileChanges', 'fileChanges./a', 'fileChanges./a.type', 'fileChanges./a.move_path', 'grantRoot'],
  ],
  elicitation: [
    [
      {
        ...about,
        serverName: 's',
        message: 'm',
        title: 't',
        _meta: { codex_approval_kind: 'mcp_tool_call', tool_name: 't', tool_params: { a: 1 }, persist: ['session'] },
        ...{ mode: 'url', url: 'https://x', requestedSchema: {} },
      },
    ],
    ['threadId', 'requestedSchema'],
  ],
  userInput: [
    [
      {
        ...about,
        questions: [{ id: 'q', header: 'h', question: 'why', isOther: true, isSecret: true, options: [{ label: 'a', description: 'b' }] }],
      },
    ],
    ['threadId', 'questions[].id', 'questions[].options[].label'],
  ],
};

const answers: Readonly<Record<string, Row>> = {
  InitializeResult: [methods.InitializeResult, [{ userAgent: 'x/1' }], []],
  ThreadResult: [
    methods.ThreadResult,
    [{ thread: { id: 't', status: { type: 'idle', activeFlags: ['x'] } }, model: 'm', cwd: '/' }],
    ['thread', 'thread.id', 'thread.status.type'],
  ],
  StoredThread: [methods.StoredThread, [{ thread: { id: 't', path: '/r.jsonl' } }], ['thread']],
  StartTurnResult: [methods.StartTurnResult, [{ turn: { id: 'u' } }], ['turn', 'turn.id']],
  SteerTurnResult: [methods.SteerTurnResult, [{ turnId: 'u' }], ['turnId']],
  DequeueResult: [methods.DequeueResult, [{ deleted: true }, { deleted: false }], []],
  ItemsPage: [
    methods.ItemsPage,
    [{ data: [{ turnId: 'u', item: turn.items[0] }], nextCursor: 'c' }],
    ['data[].turnId', 'data[].item', 'data[].item.id', 'data[].item.type'],
  ],
  TurnsPage: [methods.TurnsPage, [{ data: [turn], nextCursor: 'c' }], inTurnObject.map((field) => `data[].${field}`)],
  QueuePage: [methods.QueuePage, [{ data: [{ id: 'q', clientUserMessageId: 'c' }], nextCursor: 'c' }], ['data[].id']],
  ModelsPage: [methods.ModelsPage, [{ data: [{ id: 'm', model: 'm', displayName: 'M', isDefault: true }] }], ['data[].id', 'data[].model']],
  LoadedThreadsPage: [methods.LoadedThreadsPage, [{ data: ['t'], nextCursor: 'c' }], []],
  // What a safe session switches off: an odd answer is no answer.
  ConfigResult: [methods.ConfigResult, [{ config: { mcp_servers: { a: {} } } }], ['config', 'config.mcp_servers']],
  HooksConfigResult: [
    methods.HooksConfigResult,
    [
      {
        config: { features: { hooks: false } },
        origins: { 'features.hooks': { name: { type: 'project', dotCodexFolder: '/project/.codex', file: '/etc/codex/config.toml' } } },
      },
    ],
    [],
  ],
};

const schemas: readonly (readonly [string, Row])[] = [
  ...Object.entries(notifications).map(([method, [samples, decides]]): [string, Row] => [
    method,
    // The table has each method's own schema, which TypeScript cannot follow through `Object.entries`.
    [notificationSchemas[method as keyof typeof notificationSchemas], samples, decides],
  ]),
  ...Object.entries(approvals).map(([name, [samples, decides]]): [string, Row] => [
    name,
    [approvalSchemas[name as keyof typeof approvalSchemas], samples, decides],
  ]),
  ...Object.entries(answers),
  ['items', [KnownItemSchema, items, ['type', 'id', 'changes[].path']]],
  ['TurnSchema', [TurnSchema, [turn], inTurnObject]],
  ['TurnErrorSchema', [TurnErrorSchema, [error], []]],
  ['ThreadStatusSchema', [ThreadStatusSchema, [{ type: 'active', activeFlags: ['x'] }], ['type']]],
];

describe('every schema of what Codex says', () => {
  test('is in the table', () => {
    const answered = Object.entries(methods).flatMap(([name, value]) => (typeof value === 'object' ? [name] : []));
    expect(Object.keys(answers).sort()).toEqual(answered.sort());
  });

  test.each(schemas)('%s: an odd field costs itself and nothing else', (_, [schema, samples, decides]) => {
    expect(costlyFields(schema, { samples, decides })).toEqual([]);
  });
});

const translator = () => new CodexTranslator({ relayServers: new Set(), messageIdsOf: () => [] });

const odd = fc.oneof(fc.constantFrom(null, '', -1, 0.5, 1e300, true, 'odd'), fc.constantFrom([], [null], {}, { type: 7 }));
/** More by hand: `ODD_FRAMES=20000`. */
const runs = Number(process.env['ODD_FRAMES'] ?? 300);
const recordings = ['say', 'command', 'edit', 'declined-edit', 'failed'] as const;
const deciding = new Set(['method', 'threadId', 'turnId', 'itemId', 'id', 'type', 'status']);

/** Every place of a recording that decides nothing. */
function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key];
    const isContainer = typeof inner === 'object' && inner !== null;
    return [...(deciding.has(key) || isContainer ? [] : [here]), ...places(inner, here)];
  });
}

function withOdd(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((entry, index) => (String(index) === key ? withOdd(entry, rest, by) : entry));
  return { ...(value as object), [key]: withOdd(Reflect.get(value as object, key), rest, by) };
}

const told = (frames: readonly CodexNotification[]): readonly AgentEvent[] => {
  const one = translator();
  return frames.flatMap((frame) => one.translate(frame));
};
const ends = (events: readonly AgentEvent[]) =>
  events.flatMap((event) =>
    event.type === 'turn.completed' ? [event.outcome] : event.type === 'turn.failed' || event.type === 'tool.completed' ? [event.type] : [],
  );

describe('recorded turns with odd fields', () => {
  test(
    'end as they did, and every event of theirs is valid',
    async () => {
      const damage = fc.array(fc.tuple(fc.nat(), odd), { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...recordings), damage, async (recording, faults) => {
          const frames = readFixture(recording);
          const all = places(frames);
          // Plain JSON went in, so what comes out are notifications still.
          const damaged = faults.reduce<unknown>(
            (now, [at, by]) => withOdd(now, all[at % all.length] ?? [], by),
            frames,
          ) as CodexNotification[];
          expect(ends(told(damaged))).toEqual(ends(told(frames)));
          const events = new SessionEvents({ cwd: '/home/ada' });
          for (const event of told(damaged)) if (event.type !== 'session.ended') events.emit(event);
          events.end({ reason: 'closed' });
          const read: AgentEvent[] = [];
          for await (const event of events) read.push(AgentEventSchema.parse(event));
          expect(brokenEventRules(read)).toEqual([]);
        }),
        { numRuns: runs },
      );
    },
    60_000 + runs * 30,
  );

  test('negative, fractional and immense counts do not lose the end of a turn', () => {
    const last = { inputTokens: -1, outputTokens: 1.5, cachedInputTokens: 1e300, reasoningOutputTokens: null, totalTokens: 'x' };
    const events = told([
      { method: 'turn/started', params: { threadId: 't', turn: { id: 'u', status: 'inProgress' } } },
      { method: 'thread/tokenUsage/updated', params: { ...inTurn, tokenUsage: { last, modelContextWindow: -3 } } },
      {
        method: 'turn/completed',
        params: { threadId: 't', turn: { id: 'u', status: 'completed', durationMs: -1, error: null, items: null } },
      },
    ]);
    const usage = { inputTokens: 0, outputTokens: 2, cachedInputTokens: Number.MAX_SAFE_INTEGER, reasoningTokens: 0 };
    expect(events.filter(({ type }) => type === 'turn.completed')).toEqual([
      { type: 'turn.completed', turnId: 'u', outcome: 'finished', usage },
    ]);
  });

  test('a turn whose end names no reason keeps the one that Codex gave up with', () => {
    const given = { message: 'no login', codexErrorInfo: { httpConnectionFailed: { httpStatusCode: 401 } } };
    const events = told([
      { method: 'error', params: { ...inTurn, error: given, willRetry: false } },
      { method: 'turn/completed', params: { threadId: 't', turn: { id: 'u', status: 'failed', error: null } } },
    ]);
    expect(events[0]).toEqual({ type: 'turn.failed', turnId: 'u', error: { code: 'unauthorized', message: 'no login', retryable: false } });
  });
});
