import type { AgentEvent } from 'agent-relay-protocol';
import { RelayError } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import { SessionEvents } from './session-events.ts';
import { brokenEventRules } from './testing/event-rules.ts';

const tool = { turnId: 't1', itemId: 'i1', name: 'Bash', kind: 'execute', title: 'ls' } as const;

async function all(events: SessionEvents): Promise<AgentEvent[]> {
  const read: AgentEvent[] = [];
  for await (const event of events) read.push(event);
  return read;
}

const types = (events: readonly AgentEvent[]) => events.map(({ type }) => type);

describe('SessionEvents', () => {
  test.each([
    ['drop', false],
    ['wait', true],
  ] as const)('what lies unread beyond the limit: with %s every delta is still there: %s', async (whenUnread, isWhole) => {
    const events = new SessionEvents({ cwd: '/srv', limit: 10_000, whenUnread });
    events.emit({ type: 'turn.started', turnId: 't1' });
    for (let at = 0; at < 100; at++) events.emit({ type: 'text.delta', turnId: 't1', itemId: `i${at}`, text: 'x'.repeat(200) });
    const hasRoom = await Promise.race([events.room().then(() => true), new Promise((resolve) => setTimeout(resolve, 10, false))]);
    events.end({ reason: 'closed' });
    expect([hasRoom, (await all(events)).filter(({ type }) => type === 'text.delta').length === 100]).toEqual([!isWhole, isWhole]);
  });

  test('a tool that is open when its turn ends is closed as interrupted before the end', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    events.emit({ type: 'turn.started', turnId: 't1' });
    events.emit({ type: 'tool.started', ...tool });
    events.emit({ type: 'turn.completed', turnId: 't1', outcome: 'finished' });
    events.end({ reason: 'closed' });
    expect(await all(events)).toEqual([
      { type: 'turn.started', turnId: 't1' },
      { type: 'tool.started', ...tool },
      { type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'interrupted' },
      { type: 'turn.completed', turnId: 't1', outcome: 'finished' },
      { type: 'session.ended', reason: 'closed' },
    ]);
  });

  test('the late end of a command that went on in the background is let through, once', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    const late = { type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'succeeded' } as const;
    events.emit({ type: 'turn.started', turnId: 't1' });
    events.emit({ type: 'tool.started', ...tool });
    events.emit({ type: 'turn.completed', turnId: 't1', outcome: 'finished' });
    events.emit(late);
    events.emit(late);
    events.end({ reason: 'closed' });
    const completed = (await all(events)).filter(({ type }) => type === 'tool.completed');
    expect(completed).toEqual([{ type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'interrupted' }, late]);
  });

  test('a second start or end of a tool, and an end without a start, are dropped', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    events.emit({ type: 'tool.completed', turnId: 't1', itemId: 'i0', outcome: 'succeeded' });
    events.emit({ type: 'tool.started', ...tool });
    events.emit({ type: 'tool.started', ...tool });
    events.emit({ type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'failed' });
    events.emit({ type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'succeeded' });
    events.emit({ type: 'tool.started', ...tool });
    events.end({ reason: 'closed' });
    expect(types(await all(events))).toEqual(['tool.started', 'tool.completed', 'session.ended']);
  });

  test('a turn ends once, and one without a start gets it', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    events.emit({ type: 'turn.completed', turnId: 't1', outcome: 'finished' });
    events.emit({ type: 'turn.completed', turnId: 't1', outcome: 'interrupted' });
    events.emit({ type: 'turn.started', turnId: 't1' });
    expect(events.openTurnId).toBeNull();
    events.end({ reason: 'closed' });
    expect(await all(events)).toEqual([
      { type: 'turn.started', turnId: 't1' },
      { type: 'turn.completed', turnId: 't1', outcome: 'finished' },
      { type: 'session.ended', reason: 'closed' },
    ]);
  });

  test("another turn's start ends the open one as interrupted", async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    events.emit({ type: 'turn.started', turnId: 't1' });
    events.emit({ type: 'turn.started', turnId: 't2' });
    expect(events.openTurnId).toBe('t2');
    events.end({ reason: 'closed' });
    expect(brokenEventRules(await all(events))).toEqual([]);
  });

  test.each([
    ['crashed', 'agent_crashed'],
    ['exited', 'agent_crashed'],
    ['lost', 'agent_lost'],
  ] as const)('a session that %s fails its turn with %s and closes what is open', async (reason, code) => {
    const events = new SessionEvents({ cwd: '/srv' });
    events.emit({ type: 'turn.started', turnId: 't1' });
    events.emit({ type: 'tool.started', ...tool });
    events.emit({ type: 'approval.requested', approvalId: 'a1', turnId: 't1', kind: 'execute', title: 'ls', options: [] });
    events.end({ reason, detail: 'signal SIGKILL', exitCode: 137 });
    events.end({ reason: 'closed' });
    events.emit({ type: 'turn.started', turnId: 't2' });
    expect((await all(events)).slice(3)).toEqual([
      { type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'interrupted' },
      { type: 'approval.resolved', approvalId: 'a1', outcome: 'cancelled', by: 'session' },
      { type: 'turn.failed', turnId: 't1', error: { code, message: 'signal SIGKILL', retryable: true } },
      { type: 'session.ended', reason, detail: 'signal SIGKILL', exitCode: 137 },
    ]);
  });

  test('a question waits until a person answers it, once', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    const answer = events.approvals.ask({ kind: 'execute', title: 'ls', turnId: 't1' });
    const reader = events[Symbol.asyncIterator]();
    const asked = (await reader.next()).value;
    const approvalId = asked?.type === 'approval.requested' ? asked.approvalId : '';
    expect(events.approvals.resolve(approvalId, { outcome: 'deny', by: 'owner', message: 'no' })).toBe(true);
    expect(events.approvals.resolve(approvalId, { outcome: 'allow', by: 'owner' })).toBe(false);
    expect(await answer).toEqual({
      outcome: 'denied',
      by: 'owner',
      message: 'A person did not allow this: no',
      optionId: 'deny',
    });
    events.end({ reason: 'closed' });
    expect((await reader.next()).value).toEqual({ type: 'approval.resolved', approvalId, outcome: 'denied', by: 'owner', message: 'no' });
    expect((await reader.next()).value).toEqual({ type: 'session.ended', reason: 'closed' });
  });

  test("a question has its vendor's own answers and a form, and an answer that it does not take leaves it open", async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    const form = [
      { id: 'q', text: 'Which?', choices: [{ value: 'a', label: 'A' }], allowsText: false },
      { id: 'key', text: 'The key?', choices: [], allowsText: true, isSecret: true },
    ];
    const options = [{ id: 'always', label: 'Yes, always', outcome: 'allow_always' }] as const;
    const answer = events.approvals.ask({ kind: 'other', title: 'Choose', form, options, isEditable: true });
    const reader = events[Symbol.asyncIterator]();
    const asked = (await reader.next()).value;
    expect(asked).toMatchObject({ form, options, expiresInMs: 600_000 });
    const approvalId = asked?.type === 'approval.requested' ? asked.approvalId : '';
    const answers = { q: ['a'], key: ['hush'] };
    for (const wrong of [
      { optionId: 'once' },
      { outcome: 'allow' as const, answers },
      { optionId: 'always', answers: { q: ['b'], key: ['k'] } },
    ])
      expect(() => events.approvals.resolve(approvalId, { ...wrong, by: 'owner' })).toThrow(RelayError);
    expect(events.approvals.resolve(approvalId, { optionId: 'always', answers, updatedInput: [1], by: 'owner' })).toBe(true);
    expect(await answer).toEqual({ outcome: 'allowed', optionId: 'always', answers, updatedInput: [1] });
    expect((await reader.next()).value).toEqual({
      ...{ type: 'approval.resolved', approvalId, outcome: 'allowed', by: 'owner', optionId: 'always' },
      ...{ answers: { q: ['a'] }, updatedInput: [1] },
    });
  });

  test('what no person could be shown whole is asked nobody, and denied', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    const options = Array.from({ length: 21 }, (_, index) => ({ id: `${index}`, label: 'Yes', outcome: 'allow' as const }));
    const form = [{ id: 'q', text: 'x'.repeat(4001), choices: [], allowsText: true }];
    for (const more of [{ options }, { form }])
      expect(await events.approvals.ask({ kind: 'other', title: 'Much', ...more })).toMatchObject({ outcome: 'denied', by: 'policy' });
    events.end({ reason: 'closed' });
    expect((await all(events))[0]).toMatchObject({ type: 'approval.requested', options: [] });
  });

  test('whoever asks waits no longer than the turn, the session or the vendor that withdrew it, and each is told once', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    const withdrawing = new AbortController();
    const question = { kind: 'execute', title: 'ls' } as const;
    events.emit({ type: 'turn.started', turnId: 't1' });
    const waiting = [
      events.approvals.ask({ ...question, turnId: 't1' }),
      events.approvals.ask(question, withdrawing.signal),
      events.approvals.ask({ ...question, turnId: 't2' }),
    ];
    withdrawing.abort();
    events.emit({ type: 'turn.completed', turnId: 't1', outcome: 'finished' });
    events.end({ reason: 'closed' });
    waiting.push(events.approvals.ask(question), events.approvals.ask(question, AbortSignal.abort()));
    for (const answer of await Promise.all(waiting)) expect(answer).toMatchObject({ outcome: 'cancelled', by: 'session' });
    const told = (await all(events)).filter(({ type }) => type.startsWith('approval.'));
    expect(types(told)).toEqual([...Array(3).fill('approval.requested'), ...Array(3).fill('approval.resolved')]);
  });

  test('nobody answers in time: denied, and nothing waits any more', async () => {
    const events = new SessionEvents({ cwd: '/srv', approvalTimeoutMs: 5 });
    const answer = await events.approvals.ask({ kind: 'execute', title: 'ls' });
    expect(answer).toMatchObject({ outcome: 'denied', by: 'timeout', message: expect.stringContaining('Nobody answered within') });
    events.end({ reason: 'closed' });
    expect((await all(events))[1]).toMatchObject({ type: 'approval.resolved', outcome: 'denied', by: 'timeout' });
  });

  test('a relative path is made absolute from the folder of the session', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    events.emit({ type: 'file.changed', changes: [{ path: 'a.txt', change: 'moved', movedTo: '../b.txt' }] });
    events.end({ reason: 'closed' });
    expect((await all(events))[0]).toEqual({
      type: 'file.changed',
      changes: [{ path: '/srv/a.txt', change: 'moved', movedTo: '/b.txt' }],
    });
  });

  test('a number that a vendor used as an id becomes a string', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    // A vendor's frame is typed by hope: what arrives may be a number.
    const numbered = { type: 'text.completed', turnId: 1, itemId: 2, text: 'x' } as unknown as Extract<
      AgentEvent,
      { type: 'text.completed' }
    >;
    events.emit(numbered);
    events.end({ reason: 'closed' });
    expect((await all(events))[0]).toEqual({ type: 'text.completed', turnId: '1', itemId: '2', text: 'x' });
  });

  test('a very long output is cut and says by how much', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    events.emit({ type: 'tool.started', ...tool });
    events.emit({ type: 'tool.completed', turnId: 't1', itemId: 'i1', outcome: 'succeeded', output: 'x'.repeat(70_000) });
    events.end({ reason: 'closed' });
    const [, completed] = await all(events);
    expect(completed).toMatchObject({ output: expect.stringMatching(/… 4464 more characters$/) });
  });

  test('200,000 open tools are as many as are allowed, each closed once, and the reader is told', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    for (let index = 0; index < 200_000; index += 1) events.emit({ type: 'tool.started', ...tool, itemId: `i${index}` });
    for (let index = 0; index < 200_000; index += 7) {
      events.emit({ type: 'tool.completed', turnId: 't1', itemId: `i${index}`, outcome: 'succeeded' });
    }
    events.end({ reason: 'closed' });
    const read = await all(events);
    const count = (type: string) => read.filter((event) => event.type === type).length;
    expect([count('tool.started'), count('tool.completed'), count('agent.error')]).toEqual([4096, 4096, 1]);
  });

  test('what waits unread costs no more to read and to add to when it is much', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    const startedAt = performance.now();
    for (let index = 0; index < 200_000; index += 1) events.emit({ type: 'text.completed', turnId: 't1', itemId: `i${index}`, text: 'x' });
    events.end({ reason: 'closed' });
    expect(await all(events)).toHaveLength(200_001);
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  test('deltas that nobody reads yet are joined, in order, without changing their text', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    for (const text of ['a', 'b', 'c']) events.emit({ type: 'text.delta', turnId: 't1', itemId: 'i1', text });
    events.emit({ type: 'text.delta', turnId: 't1', itemId: 'i2', text: 'd' });
    events.end({ reason: 'closed' });
    expect((await all(events)).slice(0, 2)).toEqual([
      { type: 'text.delta', turnId: 't1', itemId: 'i1', text: 'abc' },
      { type: 'text.delta', turnId: 't1', itemId: 'i2', text: 'd' },
    ]);
  });

  test('what its vendor said in one piece reaches a waiting reader as one, and what it did is not kept waiting', async () => {
    const events = new SessionEvents({ cwd: '/srv' });
    const reader = events[Symbol.asyncIterator]();
    const delta = (text: string, itemId = 'i1') => ({ type: 'text.delta', turnId: 't1', itemId, text }) as const;
    const first = reader.next();
    for (const text of ['one ', 'two ', 'three']) {
      events.emit(delta(text));
      await Promise.resolve();
    }
    expect(await first).toEqual({ done: false, value: delta('one two three') });
    const second = reader.next();
    events.emit(delta('four'));
    events.emit({ type: 'turn.started', turnId: 't1' });
    expect(await Promise.race([second, new Promise((resolve) => process.nextTick(resolve))])).toEqual({
      done: false,
      value: delta('four'),
    });
    expect(await reader.next()).toEqual({ done: false, value: { type: 'turn.started', turnId: 't1' } });
  });

  test('at the limit deltas go and state events stay', async () => {
    const events = new SessionEvents({ cwd: '/srv', limit: 10_000 });
    for (let index = 0; index < 100; index += 1) {
      events.emit({ type: 'text.delta', turnId: 't1', itemId: `i${index}`, text: 'x'.repeat(100) });
      events.emit({ type: 'text.completed', turnId: 't1', itemId: `i${index}`, text: 'x' });
    }
    events.end({ reason: 'closed' });
    const read = await all(events);
    expect(read.filter(({ type }) => type === 'text.completed')).toHaveLength(100);
    expect(events.dropped).toBeGreaterThan(50);
    expect(read.filter(({ type }) => type === 'text.delta')).toHaveLength(100 - events.dropped);
  });

  test('room waits while too much is unread and comes with the reader', async () => {
    const events = new SessionEvents({ cwd: '/srv', limit: 1_000 });
    for (let index = 0; index < 20; index += 1) events.emit({ type: 'text.completed', turnId: 't1', itemId: 'i1', text: 'x'.repeat(100) });
    let hasRoom = false;
    const waiting = events.room().then(() => {
      hasRoom = true;
    });
    const reader = events[Symbol.asyncIterator]();
    await reader.next();
    expect(hasRoom).toBe(false);
    for (let index = 0; index < 18; index += 1) await reader.next();
    await waiting;
    expect(hasRoom).toBe(true);
  });

  test('a reader that leaves frees the buffer and never blocks the session', async () => {
    const events = new SessionEvents({ cwd: '/srv', limit: 10 });
    for (let index = 0; index < 5; index += 1) events.emit({ type: 'text.completed', turnId: 't1', itemId: 'i1', text: 'x' });
    for await (const event of events) {
      expect(event.type).toBe('text.completed');
      break;
    }
    events.emit({ type: 'text.completed', turnId: 't1', itemId: 'i1', text: 'x' });
    await events.room();
    expect(() => events[Symbol.asyncIterator]()).toThrow(TypeError);
  });
});
