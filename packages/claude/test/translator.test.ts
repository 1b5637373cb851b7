import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentEventSchema } from 'agent-relay-protocol';
import { SessionEvents } from 'agent-relay-provider';
import { brokenEventRules } from 'agent-relay-provider/testing';
import { describe, expect, test } from 'vitest';
import { ClaudeTranslator } from '../src/provider/translator.ts';
import { ClaudeFrameSchema } from '../src/stream-json/frames.ts';
import { brief, replay } from './replay.ts';

const recordings = readdirSync(join(import.meta.dirname, 'fixtures')).map((file) => file.replace('.jsonl', ''));
const recordedVersions = ['2.1.120', '2.1.197', '2.1.329', '2.1.332'];
const briefly = (name: string) => replay(name).map(brief);
const without = (lines: string[], ...words: string[]) => lines.filter((line) => !words.some((word) => line.startsWith(word)));

test('mail that Claude had before this session began is told from its repetition, once, and what it was sent by us is not', () => {
  const translator = new ClaudeTranslator({ relayServers: [], cwd: '/w' });
  const echo = (uuid: string, content: unknown) =>
    ClaudeFrameSchema.parse({ type: 'user', isReplay: true, uuid, message: { role: 'user', content } });
  const envelope = (id: number) => `[msg:${id}] from Ada: hello [msg:9] from x: y\n[end msg:${id} peer n${id}]`;
  const told = (frame: Parameters<ClaudeTranslator['translate']>[0]) =>
    translator
      .translate(frame)
      .map(brief)
      .filter((line) => line.startsWith('accepted'));
  const text = `${envelope(4)}\n\n${envelope(5)}`;
  expect(told(echo('u1', text))).toEqual(['accepted 4 delivered (echo)', 'accepted 5 delivered (echo)']);
  expect(told(echo('u1', text))).toEqual([]);
  expect(told(echo('u2', [{ type: 'text', text: envelope(6) }]))).toEqual(['accepted 6 delivered (echo)']);
  const words = { type: 'assistant', uuid: 'a1', message: { id: 'm1', role: 'assistant', content: [{ type: 'text', text: 'hi' }] } };
  expect(told(ClaudeFrameSchema.parse(words))).toEqual(['accepted 4 seen (echo)', 'accepted 5 seen (echo)', 'accepted 6 seen (echo)']);
  translator.sent({ uuid: 'u3', text: envelope(7), messageIds: [7], isContext: false });
  expect(told(echo('u3', envelope(7)))).toEqual(['accepted 7 delivered (echo)']);
  expect(told(echo('u3', envelope(7)))).toEqual([]);
});

test('a turn with mail of an earlier session is held to what mail may do, and the next of a person is not', () => {
  const translator = new ClaudeTranslator({ relayServers: [], cwd: '/w' });
  const say = (frame: object) => translator.translate(ClaudeFrameSchema.parse(frame));
  const echo = (uuid: string, content: string) => say({ type: 'user', isReplay: true, uuid, message: { role: 'user', content } });
  echo('u1', 'the words of whoever sits before it');
  expect(translator.isMailTurn).toBe(false);
  say({ type: 'system', subtype: 'status', status: 'requesting' });
  echo('u2', '[msg:4] from Ada: hello\n[end msg:4 peer n]');
  expect(translator.isMailTurn).toBe(true);
  say({ type: 'result', subtype: 'success' });
  translator.sent({ uuid: 'u3', text: 'mine', messageIds: [], isContext: false });
  echo('u3', 'mine');
  expect(translator.isMailTurn).toBe(false);
});

describe('a prompt that is sent again', () => {
  const uuid = 'u1';
  const init = { type: 'system', subtype: 'init' };
  const echo = { type: 'user', isReplay: true, uuid, message: { role: 'user', content: 'x' } };
  const words = { type: 'assistant', message: { id: 'm1', role: 'assistant', content: [{ type: 'text', text: 'hi' }] } };
  const result = { type: 'result', subtype: 'success' };
  const known = (frames: readonly object[], sent: { readonly isRepeat: boolean } = { isRepeat: true }) => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/w' });
    translator.sent({ uuid, text: 'x', messageIds: [4], isContext: false, ...sent });
    if (!sent.isRepeat) translator.ledger.sentAgain(uuid);
    return frames
      .flatMap((frame) => translator.translate(ClaudeFrameSchema.parse(frame)).map(brief))
      .filter((line) => /^(?:accepted|started|user)/u.test(line));
  };
  const entered = ['user turn-1 x', 'accepted 4 seen (echo)'];

  test.each([true, false])(
    'and dropped is delivered, and seen in the turn that takes what waited, not in the one that runs (%s)',
    (isRepeat) => {
      const running = ['accepted 4 delivered (echo)', 'started turn-1'];
      expect(known([echo, words, result], { isRepeat })).toEqual(running);
      expect(known([echo, words, result, init, words], { isRepeat })).toEqual([
        ...running,
        'started turn-2',
        'user turn-2 x',
        'accepted 4 seen (echo)',
      ]);
    },
  );

  test('and dropped because it is in the turn that runs is seen there: its own echo comes as well', () => {
    expect(known([echo, echo, words])).toEqual(['accepted 4 delivered (echo)', 'started turn-1', ...entered]);
  });

  test('and taken enters with its turn', () => {
    expect(known([init, echo, words])).toEqual(['started turn-1', 'accepted 4 delivered (echo)', ...entered]);
  });

  test('and found in the conversation is told once', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/w' });
    const text = '[msg:4] from Ada: hello\n[end msg:4 peer n]';
    const found = ClaudeFrameSchema.parse({ ...echo, message: { role: 'user', content: text } });
    expect(translator.translate(found).map(brief)).toEqual(['accepted 4 delivered (echo)']);
    translator.sent({ uuid, text, messageIds: [4], isContext: false, isRepeat: true });
    expect(translator.translate(found)).toEqual([]);
    expect(translator.ledger.hasWaiting).toBe(false);
  });
});

describe('translation of recorded conversations', () => {
  test('an answer: delivered when queued, seen when the model speaks, streamed and whole', () => {
    expect(briefly('2.1.329-answer')).toEqual([
      'accepted 7 delivered (echo)',
      'started turn-1',
      'busy',
      'user turn-1 think: hmm && then say: hello world',
      'vendor system/init',
      'accepted 7 seen (echo)',
      'reasoning.delta hmm',
      'reasoning.completed hmm',
      'text.delta hello world',
      'text.completed hello world',
      'usage.updated',
      'completed turn-1 finished',
      'idle',
    ]);
  });

  test('a version that only echoes proves the same, later', () => {
    expect(without(briefly('2.1.120-answer'), 'text', 'reasoning')).toEqual([
      'vendor system/init',
      'started turn-1',
      'busy',
      'accepted 7 delivered (echo)',
      'user turn-1 think: hmm && then say: hello world',
      'accepted 7 seen (echo)',
      'usage.updated',
      'completed turn-1 finished',
      'idle',
    ]);
  });

  test.each(recordedVersions)('%s: deltas and their whole share an item', (version) => {
    const events = replay(`${version}-answer`);
    const items = events.flatMap((event) => ('itemId' in event && event.type.startsWith('text') ? [event.itemId] : []));
    expect(new Set(items).size).toBe(1);
    const reasoning = events.flatMap((event) => ('itemId' in event && event.type.startsWith('reasoning') ? [event.itemId] : []));
    expect(new Set(reasoning).size).toBe(1);
    expect(reasoning[0]).not.toBe(items[0]);
  });

  test.each(recordedVersions)('%s: tools with their kind, title, outcome and change', (version) => {
    const events = replay(`${version}-tools`);
    expect(events.map(brief).filter((line) => /^(?:tool|file)/u.test(line))).toEqual([
      'tool edit Write: /home/ada/work/a.txt',
      'file added /home/ada/work/a.txt',
      'tool succeeded',
      'tool execute Bash: ls nowhere',
      'tool failed',
    ]);
    expect(events.find((event) => event.type === 'tool.completed' && event.outcome === 'failed')).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining('No such file'),
    });
  });

  test.each(recordedVersions)('%s: a prompt that joins a turn is seen within it', (version) => {
    const lines = briefly(`${version}-steered`);
    expect(lines.filter((line) => line.startsWith('started'))).toEqual(['started turn-1']);
    const steered = lines.slice(lines.indexOf('tool succeeded')).filter((line) => /^(?:user|accepted 8 seen|text\.completed)/u.test(line));
    expect(steered).toEqual(['user turn-1 say: steered', 'accepted 8 seen (echo)', 'text.completed steered']);
  });

  test.each(recordedVersions)('%s: prompts that Claude merges share a turn, each with its own evidence and text', (version) => {
    const lines = briefly(`${version}-merged`);
    const second = lines.slice(lines.indexOf('started turn-2'));
    expect(second.filter((line) => line.startsWith('user'))).toEqual(['user turn-2 say: b', 'user turn-2 say: c']);
    expect(second).toContain('accepted 1 seen (echo)');
    expect(second).toContain('accepted 2 seen (echo)');
    expect(lines.filter((line) => line.startsWith('completed'))).toEqual(['completed turn-1 finished', 'completed turn-2 finished']);
  });

  test.each(recordedVersions)('%s: an interrupted turn is no failure, and keeps the half answer', (version) => {
    expect(without(briefly(`${version}-interrupted`), 'vendor', 'text.delta')).toEqual(
      expect.arrayContaining(['text.completed word001 ', 'completed turn-1 interrupted', 'idle']),
    );
  });

  test.each(recordedVersions)('%s: a prompt whose request failed was delivered and not seen', (version) => {
    const events = replay(`${version}-failed`);
    expect(events.map(brief).filter((line) => /^(?:accepted|error|failed)/u.test(line))).toEqual(
      expect.arrayContaining(['accepted 9 delivered (echo)', 'failed turn-1 overloaded']),
    );
    expect(events.map(brief)).not.toContain('accepted 9 seen (echo)');
    expect(events).toContainEqual(expect.objectContaining({ type: 'agent.error', willRetry: true }));
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'turn.failed',
        error: { code: 'overloaded', retryable: true, message: expect.stringContaining('529') },
      }),
    );
  });

  test.each(recordedVersions)('%s: context has no turn of its own and is seen in the next', (version) => {
    const lines = without(briefly(`${version}-context`), 'vendor', 'text', 'usage');
    expect(lines.slice(0, 4)).toEqual(['accepted 5 delivered (echo)', 'user - the door is green', 'idle', 'started turn-1']);
    expect(lines.slice(4)).toContain('accepted 5 seen (echo)');
  });

  test('usage is of the turn, although Claude counts costs over the process', () => {
    const usages = replay('2.1.329-merged').flatMap((event) => (event.type === 'usage.updated' ? [event.usage] : []));
    expect(usages).toHaveLength(2);
    const [first, second] = usages;
    expect(second?.costUsd).toBeLessThan((first?.costUsd ?? 0) * 1.5);
    expect(first).toMatchObject({ inputTokens: expect.any(Number), outputTokens: expect.any(Number), contextWindow: expect.any(Number) });
  });
});

describe('frames that are not as expected', () => {
  test('a todo list is a plan', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    const todos = [
      { content: 'read', status: 'completed', activeForm: 'reading' },
      { content: 'write', status: 'in_progress', activeForm: 'writing' },
    ];
    const content = [{ type: 'tool_use', id: 'toolu_1', name: 'TodoWrite', input: { todos } }];
    expect(translator.translate({ type: 'assistant', message: { id: 'm', content } })).toContainEqual({
      type: 'plan.updated',
      turnId: 'turn-1',
      steps: [
        { step: 'read', status: 'done' },
        { step: 'write', status: 'active' },
      ],
    });
  });

  test("the relay's own tools are messages", () => {
    const translator = new ClaudeTranslator({ relayServers: ['agent-relay'], cwd: '/home/ada' });
    const content = [{ type: 'tool_use', id: 'toolu_1', name: 'mcp__agent-relay__relay_send', input: { to: 'Worker', body: 'hi' } }];
    expect(translator.translate({ type: 'assistant', message: { id: 'm', content } })).toContainEqual(
      expect.objectContaining({ type: 'tool.started', kind: 'message', title: 'relay_send: Worker' }),
    );
  });

  test('a limit that is near is a warning with the time it resets', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    const rate_limit_info = { status: 'allowed_warning', resetsAt: 1_700_000_000, rateLimitType: 'five_hour' };
    expect(translator.translate({ type: 'rate_limit_event', rate_limit_info })).toEqual([
      { type: 'quota.warning', message: 'The five_hour limit is near', resetsAt: 1_700_000_000_000 },
    ]);
  });

  test('an unknown frame, and a known one that cannot be read, are passed on as vendor events', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    expect(translator.translate({ type: 'wibble', subtype: 'x', a: 1 })).toEqual([
      { type: 'vendor.event', vendor: 'claude', name: 'wibble/x', data: { type: 'wibble', subtype: 'x', a: 1 } },
    ]);
    expect(translator.translate({ type: 'assistant', message: 'no' })).toEqual([
      { type: 'vendor.event', vendor: 'claude', name: 'assistant', data: { type: 'assistant', message: 'no' } },
    ]);
  });

  test('an MCP server that did not start is an error', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    const mcp_servers = [
      { name: 'agent-relay', status: 'failed' },
      { name: 'other', status: 'connected' },
    ];
    expect(translator.translate({ type: 'system', subtype: 'init', mcp_servers })).toContainEqual({
      type: 'agent.error',
      code: 'mcp_server_failed',
      message: 'The MCP server agent-relay did not start',
      willRetry: false,
    });
    expect(translator.translate({ type: 'system', subtype: 'init', mcp_servers })).toEqual([]);
  });

  test('but for that of the plugin, which is left alone where a machine runs the session', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    const mcp_servers = ['plugin:agent-relay:relay', 'plugin:other:relay'].map((name) => ({ name, status: 'failed' }));
    const errors = translator.translate({ type: 'system', subtype: 'init', mcp_servers }).filter(({ type }) => type === 'agent.error');
    expect(errors).toMatchObject([{ message: 'The MCP server plugin:other:relay did not start' }]);
  });

  test('idle ends a turn that had no result', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    translator.translate({ type: 'system', subtype: 'status', status: 'requesting' });
    expect(translator.translate({ type: 'system', subtype: 'session_state_changed', state: 'idle' })).toEqual([
      { type: 'turn.completed', turnId: 'turn-1', outcome: 'finished' },
      { type: 'session.status', status: 'idle' },
    ]);
  });

  test('damaged frames never throw, and what comes of them is valid and keeps the rules', async () => {
    const random = seeded(42);
    for (const name of recordings) {
      const frames = readFileSync(join(import.meta.dirname, 'fixtures', `${name}.jsonl`), 'utf8')
        .trim()
        .split('\n')
        .flatMap((line) => JSON.parse(line).frame ?? []);
      for (let round = 0; round < 20; round += 1) {
        const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
        const events = new SessionEvents({ cwd: '/home/ada' });
        for (const frame of frames) {
          const parsed = ClaudeFrameSchema.safeParse(damaged(frame, random));
          if (!parsed.success) continue;
          for (const event of translator.translate(parsed.data)) events.emit(event);
        }
        events.end({ reason: 'crashed' });
        const read = [];
        for await (const event of events) read.push(AgentEventSchema.parse(event));
        expect(brokenEventRules(read)).toEqual([]);
      }
    }
  });
});

/** Mulberry32: the same damage on every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const rubbish = [null, 0, -1, '', 'x', [], {}, true, [null], { type: 7 }];

/** The same value with some fields gone, repeated or replaced by something else. */
function damaged(value: unknown, random: () => number): unknown {
  if (random() < 0.03) return rubbish[Math.floor(random() * rubbish.length)];
  if (Array.isArray(value)) return value.map((item) => damaged(item, random));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (random() < 0.03 ? [] : [[key, damaged(item, random)]])));
}

describe('a session that waits', () => {
  const state = (name: string) => ({ type: 'system', subtype: 'session_state_changed', state: name });
  const begun = () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    translator.translate({ type: 'system', subtype: 'status', status: 'requesting' });
    return translator;
  };
  const waiting = [{ type: 'session.status', status: 'waiting' }];
  const busy = [{ type: 'session.status', status: 'busy' }];

  test('says so when Claude does, and when it goes on', () => {
    const translator = begun();
    expect(translator.translate(state('requires_action'))).toEqual(waiting);
    expect(translator.translate(state('running'))).toEqual(busy);
    expect(translator.translate(state('running'))).toEqual([]);
  });

  test('waits until each question has its answer, and what Claude says of them late changes nothing', () => {
    const translator = begun();
    expect([translator.questionAsked(), translator.questionAsked()]).toEqual([waiting, []]);
    expect(translator.translate(state('running'))).toEqual([]);
    expect([translator.questionAnswered(), translator.questionAnswered()]).toEqual([[], busy]);
    expect(translator.translate(state('requires_action'))).toEqual([]);
  });

  test('a question whose turn has ended leaves no busy session behind', () => {
    const translator = begun();
    translator.questionAsked();
    translator.translate(state('idle'));
    expect(translator.questionAnswered()).toEqual([]);
  });
});

describe('a conversation', () => {
  test('that `/clear` begins anew is told with its id, and the first is not told twice', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    translator.startedAs('one');
    expect(translator.translate({ type: 'system', subtype: 'status', session_id: 'one' })).toEqual([]);
    expect(translator.translate({ type: 'system', subtype: 'init', session_id: 'two' })[0]).toEqual({
      type: 'session.started',
      vendorSessionId: 'two',
      cwd: '/home/ada',
    });
    expect(translator.sessionId).toBe('two');
  });
});

describe('a turn that nobody prompted', () => {
  const task = (subtype: string, more: object) => ({ type: 'system', subtype, task_id: 't', tool_use_id: 'toolu_1', ...more });
  const requesting = { type: 'system', subtype: 'status', status: 'requesting' };
  const started = (translator: ClaudeTranslator, frame: { type: string }) =>
    translator.translate(frame).filter(({ type }) => type === 'turn.started');
  const ended = () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    translator.translate(task('task_started', { description: 'counts' }));
    translator.translate(task('task_notification', { status: 'failed' }));
    return translator;
  };

  test('says which task ended, once', () => {
    const translator = ended();
    expect(started(translator, requesting)).toEqual([{ type: 'turn.started', turnId: 'turn-1', cause: 'Background task "counts" failed' }]);
    translator.translate({ type: 'result' });
    expect(started(translator, requesting)).toEqual([{ type: 'turn.started', turnId: 'turn-2' }]);
  });

  test('says so when its sub-agent goes on after the turn that began it', () => {
    const translator = new ClaudeTranslator({ relayServers: [], cwd: '/home/ada' });
    translator.translate(task('task_started', { description: 'looks' }));
    const word = { type: 'assistant', parent_tool_use_id: 'toolu_1', message: { id: 'm', content: [] } };
    expect(started(translator, word)).toEqual([{ type: 'turn.started', turnId: 'turn-1', cause: 'Background task "looks" goes on' }]);
  });

  test('is none where a prompt waits: that one is its cause', () => {
    const translator = ended();
    translator.sent({ uuid: 'u', text: 'hello', messageIds: [], isContext: false });
    expect(started(translator, requesting)).toEqual([{ type: 'turn.started', turnId: 'turn-1' }]);
  });
});
