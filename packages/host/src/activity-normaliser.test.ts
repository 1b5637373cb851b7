import { type AgentEvent, AgentEventSchema } from 'agent-relay-protocol';
import { describe, expect, it } from 'vitest';
import { ActivityNormaliser } from './activity-normaliser.ts';
import { MAX_EVENT_LENGTH, truncateEvent, truncateText } from './truncate-event.ts';

const turn = { turnId: 't' };

describe('what is stored of an agent’s events', () => {
  it('a tool that ends without output gets what was streamed', () => {
    const normaliser = new ActivityNormaliser();
    normaliser.accept({ type: 'tool.updated', ...turn, itemId: 'i', output: 'one ' });
    normaliser.accept({ type: 'tool.updated', ...turn, itemId: 'i', output: 'two' });
    const completed: AgentEvent = { type: 'tool.completed', ...turn, itemId: 'i', outcome: 'succeeded' };
    expect(normaliser.accept(completed).stored).toEqual([{ ...completed, output: 'one two' }]);
  });

  it('an event that does not fit the schema and cannot be mended is replaced by one that names what was wrong', () => {
    const broken = { type: 'input.accepted', messageId: 0, evidence: 'echo', state: 'seen' } as const;
    const { stored } = new ActivityNormaliser().accept(broken);
    expect(stored).toEqual([
      { type: 'vendor.event', vendor: 'host', name: 'invalid_event', data: { type: 'input.accepted', paths: ['messageId'] } },
    ]);
  });

  it.each([
    [{ type: 'turn.started', turnId: '' }, { turnId: expect.stringMatching(/^long-/u) }],
    [
      { type: 'turn.completed', ...turn, outcome: null, usage: { inputTokens: -1 }, durationMs: 'x' },
      { ...turn, outcome: 'interrupted' },
    ],
    [
      { type: 'turn.failed', ...turn, error: null },
      { ...turn, error: { code: 'agent_error' } },
    ],
    [
      { type: 'tool.started', ...turn, itemId: 7, name: null, kind: 'x', title: 'ls' },
      { itemId: '7', name: 'unknown', title: 'ls' },
    ],
    [{ type: 'tool.completed', ...turn, itemId: 'i', outcome: 'x', exitCode: 1.5 }, { outcome: 'interrupted' }],
    [
      { type: 'approval.requested', approvalId: 'a'.repeat(940), itemId: 'i'.repeat(940), kind: 'execute', title: 'ls', options: [null] },
      {
        approvalId: expect.stringMatching(/^long-/u),
        itemId: expect.stringMatching(/^long-/u),
        title: 'ls',
      },
    ],
    [
      { type: 'approval.requested', approvalId: 'a', kind: 'x', title: 4, options: null },
      { options: [{ outcome: 'allow' }, { outcome: 'deny' }] },
    ],
    [
      { type: 'approval.resolved', approvalId: 'a', outcome: 4, by: null },
      { outcome: 'cancelled', by: 'session' },
    ],
    [{ type: 'session.ended', reason: 'x', exitCode: 0.5 }, { reason: 'crashed' }],
  ])('an event that decides something is mended, never replaced: %o', (odd, mended) => {
    // What a provider without types may say.
    const { stored } = new ActivityNormaliser().accept(odd as unknown as AgentEvent);
    expect(stored).toMatchObject([{ type: odd.type, ...mended }]);
    expect(AgentEventSchema.safeParse(stored[0]).success).toBe(true);
  });

  it('a text ends exactly once: completed by its turn only when the vendor did not', () => {
    const normaliser = new ActivityNormaliser();
    normaliser.accept({ type: 'text.delta', ...turn, itemId: 'a', text: 'done' });
    normaliser.accept({ type: 'text.completed', ...turn, itemId: 'a', text: 'done' });
    normaliser.accept({ type: 'reasoning.delta', ...turn, itemId: 'b', text: 'half' });
    const ended: AgentEvent = { type: 'turn.completed', ...turn, outcome: 'interrupted' };
    expect(normaliser.accept(ended).stored).toEqual([{ type: 'reasoning.completed', ...turn, itemId: 'b', text: 'half' }, ended]);
  });
});

describe('an event that is too large', () => {
  it('keeps its shape and says how much is missing', () => {
    const cut = truncateEvent({ type: 'text.completed', ...turn, itemId: 'i', text: 'x'.repeat(100_000) });
    expect(cut).toMatchObject({ type: 'text.completed', itemId: 'i' });
    expect(cut.type === 'text.completed' && cut.text.endsWith(`… [${100_000 - 65_536} more characters were cut]`)).toBe(true);
  });

  it('made of many large parts still ends below the limit and fits the schema', () => {
    const changes = Array.from({ length: 500 }, (_, n) => ({ path: `/f/${n}`, change: 'updated' as const, diff: 'd'.repeat(60_000) }));
    const cut = truncateEvent({ type: 'file.changed', changes });
    expect(JSON.stringify(cut).length).toBeLessThanOrEqual(MAX_EVENT_LENGTH);
    expect(AgentEventSchema.safeParse(cut).success).toBe(true);
  });

  it('a question whose input has too many parts is asked without them', () => {
    const wide = (depth: number): unknown => (depth === 0 ? '\u0001'.repeat(200) : Array.from({ length: 20 }, () => wide(depth - 1)));
    const asked = { type: 'approval.requested', approvalId: 'a', kind: 'execute', title: 'x', options: [], input: wide(3) };
    // Plain JSON, as a vendor would send it.
    const cut = truncateEvent(asked as AgentEvent);
    expect(cut).toMatchObject({ type: 'approval.requested', approvalId: 'a', input: expect.stringMatching(/too many parts to show/u) });
  });

  it('is never cut inside a character', () => {
    expect(truncateText('ab😀', 3)).toBe('ab… [2 more characters were cut]');
  });

  it('what nests deeper than the relay takes is stored as text from there on', () => {
    const deep = JSON.parse(`${'['.repeat(200)}1${']'.repeat(200)}`);
    const cut = truncateEvent({ type: 'vendor.event', vendor: 'v', name: 'n', data: deep });
    let levels = 0;
    for (let value: unknown = Reflect.get(cut, 'data'); Array.isArray(value); value = value[0]) levels += 1;
    expect(levels).toBe(31);
  });
});
