import { type Hold, RelayError } from 'agent-relay-protocol';
import { describe, expect, test } from 'vitest';
import type { StoredMessage } from './change.ts';
import { queuedRecord } from './delivery.ts';
import type { Directory } from './directory.ts';
import type { SendFacts } from './facts.ts';
import { draftOf, numbered } from './message.ts';
import { planMessage, type Sending, type SendTerms } from './plan-message.ts';

const at = 1_000;

/** Nobody is registered: whoever writes to an id leaves mail there. */
const nobodyThere: Directory = {
  find: () => undefined,
  agents: () => [],
  members: () => new Set(),
  named: () => new Set(),
  isBound: () => false,
  version: 0,
};

const facts = (more: Partial<SendFacts> = {}): SendFacts => ({
  nextId: 8,
  agents: nobodyThere,
  records: { find: () => null, under: () => [] },
  earlier: null,
  repliedTo: null,
  copy: null,
  participants: () => new Map(),
  heldAlike: () => null,
  openHolds: () => 0,
  ...more,
});

const sending = (input: Partial<Sending['input']> = {}): Sending => ({
  input: { to: 'id:b', body: 'hello', ...input },
  from: 'a',
  principal: { type: 'anonymous', workspace: 'default' },
  at,
});

const terms = ({ mayRead = true, ...more }: Partial<SendTerms> & { readonly mayRead?: boolean } = {}): SendTerms => ({
  digest: () => 'said',
  rights: () => ({ mayRead: () => mayRead, mayReadHold: () => true }),
  breachOf: () => null,
  ...more,
});

const stored: StoredMessage = {
  workspace: 'default',
  matched: 1,
  message: numbered(
    draftOf({ from: 'b', to: 'id:a', body: 'hi', sender: { relation: 'claimed', principal: 'anonymous' }, createdAt: at }),
    5,
  ),
};

const codeOf = (plan: () => unknown): string => {
  try {
    plan();
    return 'none';
  } catch (error) {
    return error instanceof RelayError ? error.code : String(error);
  }
};

describe('planMessage', () => {
  test('sends: one message, under its key, with the receipt of what it answers', () => {
    const { answer, change } = planMessage(
      facts({ repliedTo: stored, copy: queuedRecord(at) }),
      sending({ replyTo: 5, idempotencyKey: 'k' }),
      terms(),
    );
    expect(answer).toMatchObject({
      outcome: 'sent',
      message: { matched: 0, key: { key: 'k', digest: 'said' }, draft: { threadId: 5, replyTo: 5 } },
    });
    expect(change?.sent).toHaveLength(1);
    expect(change?.deliveries).toMatchObject([{ messageId: 5, agentId: 'a', from: 'b', next: { state: 'answered', evidence: 'reply' } }]);
  });

  test('answers what was sent before under the key, and refuses other words under it', () => {
    const again = (digest: string) => () => planMessage(facts({ earlier: { stored, digest } }), sending({ idempotencyKey: 'k' }), terms());
    expect(again('said')()).toEqual({ answer: { outcome: 'duplicate', stored }, change: null });
    expect(codeOf(again('other'))).toBe('idempotency_mismatch');
    const asStranger = () =>
      planMessage(facts({ earlier: { stored, digest: 'said' } }), sending({ idempotencyKey: 'k' }), terms({ mayRead: false }));
    expect(codeOf(asStranger)).toBe('idempotency_mismatch');
    const bound = { ...nobodyThere, isBound: () => true };
    expect(
      codeOf(() => planMessage(facts({ agents: bound, earlier: { stored, digest: 'said' } }), sending({ idempotencyKey: 'k' }), terms())),
    ).toBe('forbidden');
  });

  test('holds what breaks a limit under the number that it would have had, once for each attempt', () => {
    const breach = { rule: 'hops', reason: 'Too far' } as const;
    const held = planMessage(facts(), sending(), terms({ breachOf: () => breach }));
    expect(held).toMatchObject({
      answer: { outcome: 'held', hold: { id: 8, attempts: 1, message: { threadId: null } } },
      change: { notices: [{}] },
    });
    expect(held.change?.sent).toBeUndefined();
    const { hold } = held.answer as { hold: Extract<Hold, { status: 'held' }> };
    const joined = planMessage(facts({ heldAlike: () => hold }), sending(), terms({ breachOf: () => breach }));
    expect(joined.change).toEqual({ at, holds: [{ hold: { ...hold, attempts: 2 }, attempt: null }] });
    const tooMany = () => planMessage(facts({ openHolds: () => 100 }), sending(), terms({ breachOf: () => breach }));
    expect(codeOf(tooMany)).toBe('rate_limited');
  });

  test('lets nobody answer their way into a thread that is not theirs', () => {
    const answer = (mayRead: boolean) => () => planMessage(facts({ repliedTo: stored }), sending({ replyTo: 5 }), terms({ mayRead }));
    expect([codeOf(answer(false)), codeOf(answer(true))]).toEqual(['not_found', 'none']);
  });

  test('asks for somebody, or something to answer', () => {
    const { to: _to, ...input } = sending().input;
    expect(codeOf(() => planMessage(facts(), { ...sending(), input }, terms()))).toBe('validation_failed');
    expect(codeOf(() => planMessage(facts(), sending({ replyTo: 99 }), terms()))).toBe('not_found');
  });
});
