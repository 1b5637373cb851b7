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

  it('an event that does not fit the schema is replaced by one that names what was wrong', () => {
    const broken = { type: 'turn.started', turnId: '' } as const;
    const { stored } = new ActivityNormaliser().accept(broken);
    expect(stored).toEqual([
      { type: 'vendor.event', vendor: 'host', name: 'invalid_event', data: { type: 'turn.started', paths: ['turnId'] } },
    ]);
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

  it('is never cut inside a character', () => {
    expect(truncateText('ab😀', 3)).toBe('ab… [2 more characters were cut]');
  });
});
