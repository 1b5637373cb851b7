import { type DeliveryMode, RelayError } from 'agent-relay-protocol';
import { describe, expect, it } from 'vitest';
import { afterFailure, MAX_ATTEMPTS, MAX_BATCH_MESSAGES, nextBatch, type WaitingPiece } from './delivery-policy.ts';

function mail(id: number, mode: DeliveryMode = 'next', over: Partial<WaitingPiece> & { body?: string } = {}): WaitingPiece {
  const empty = { subject: null, channel: null, replyTo: null, expiresAt: null, payload: null, meta: null, deletedAt: null };
  const sender = { relation: 'peer', principal: 'agent:Lead' } as const;
  const { body = 'text', ...rest } = over;
  const message = {
    ...empty,
    id,
    from: 'Lead',
    to: 'id:Worker',
    body,
    kind: 'chat',
    claimable: false,
    threadId: id,
    mode,
    sender,
    hops: 0,
    createdAt: 0,
  };
  return { item: { message, state: 'queued', nonce: 'n' }, attempts: 0, isAlone: false, promptId: null, ...rest };
}
const ids = (waiting: readonly WaitingPiece[], isTurnRunning: boolean, hasContext = true) => {
  const batch = nextBatch(waiting, { isTurnRunning, hasContext });
  return batch && { mode: batch.mode, ids: batch.mail.map(({ item }) => item.message.id) };
};

describe('what is handed over next', () => {
  it('nothing of mode next while a turn runs', () => {
    expect(ids([mail(1), mail(2)], true)).toBeNull();
  });

  it('between turns everything together, in the order it was sent', () => {
    expect(ids([mail(3, 'urgent'), mail(1), mail(2, 'now'), mail(4, 'fyi')], false)).toEqual({ mode: 'next', ids: [1, 2, 3, 4] });
  });

  it('between turns, context alone begins no turn', () => {
    expect(ids([mail(1, 'fyi'), mail(2, 'fyi')], false)).toEqual({ mode: 'fyi', ids: [1, 2] });
  });

  it('during a turn urgent goes before now, and now before context', () => {
    const waiting = [mail(1, 'fyi'), mail(2, 'now'), mail(3), mail(4, 'urgent')];
    expect(ids(waiting, true)).toEqual({ mode: 'urgent', ids: [4] });
    expect(ids(waiting.slice(0, 3), true)).toEqual({ mode: 'now', ids: [2] });
    expect(ids(waiting.slice(0, 1), true)).toEqual({ mode: 'fyi', ids: [1] });
  });

  it('where mail may do less than a person, context waits for the turn to end and gets one of its own', () => {
    const waiting = [mail(1, 'fyi'), mail(2)];
    expect(ids(waiting, true, false)).toBeNull();
    expect(ids([...waiting, mail(3, 'now')], true, false)).toEqual({ mode: 'now', ids: [3] });
    expect(ids(waiting.slice(0, 1), false, false)).toEqual({ mode: 'next', ids: [1] });
  });

  it('no more than one prompt can hold', () => {
    const many = Array.from({ length: MAX_BATCH_MESSAGES + 5 }, (_, index) => mail(index + 1));
    expect(ids(many, false)?.ids).toHaveLength(MAX_BATCH_MESSAGES);
    const large = [1, 2, 3].map((id) => mail(id, 'next', { body: 'x'.repeat(60_000) }));
    expect(ids(large, false)?.ids).toEqual([1, 2]);
  });

  it('what went in one prompt goes in one again, of whatever modes it is', () => {
    const [first, second, third] = [mail(1, 'next', { promptId: 'p' }), mail(2, 'now', { promptId: 'p' }), mail(3, 'now')];
    expect(ids([first, second, third], true)).toEqual({ mode: 'now', ids: [1, 2] });
    expect(ids([first, third], true)).toEqual({ mode: 'now', ids: [3] });
  });

  it('a piece that must go by itself does', () => {
    expect(ids([mail(1, 'next', { isAlone: true }), mail(2)], false)?.ids).toEqual([1]);
    expect(ids([mail(1), mail(2, 'next', { isAlone: true })], false)?.ids).toEqual([1]);
  });
});

describe('after a prompt failed', () => {
  const refusal = new RelayError('validation_failed', 'No');
  const fault = new RelayError('provider_unavailable', 'Not now');

  it('a refusal for good is final for one, and splits several', () => {
    expect(afterFailure([mail(1)], refusal)).toEqual({ retry: [], failed: [mail(1, 'next', { attempts: 1 })] });
    expect(afterFailure([mail(1), mail(2)], refusal)).toEqual({
      retry: [mail(1, 'next', { attempts: 1, isAlone: true }), mail(2, 'next', { attempts: 1, isAlone: true })],
      failed: [],
    });
  });

  it('anything else is tried again a limited number of times', () => {
    expect(afterFailure([mail(1)], fault)).toEqual({ retry: [mail(1, 'next', { attempts: 1 })], failed: [] });
    const last = mail(1, 'next', { attempts: MAX_ATTEMPTS - 1 });
    expect(afterFailure([last], fault)).toEqual({ retry: [], failed: [{ ...last, attempts: MAX_ATTEMPTS }] });
  });
});
