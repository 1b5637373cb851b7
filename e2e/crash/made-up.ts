import type { Claim, Message, Pair, RelayEvent, Task } from 'agent-relay-protocol';

/** What the tests of the checkers make histories of. */
export const message = (id: number, body: string, more: Partial<Message> = {}): Message => ({
  id,
  from: 'sender',
  to: 'id:reader',
  body,
  subject: null,
  channel: null,
  kind: 'chat',
  claimable: false,
  replyTo: null,
  threadId: id,
  mode: 'next',
  expiresAt: null,
  payload: null,
  meta: null,
  sender: { relation: 'peer', principal: 'agent:sender' },
  hops: 0,
  createdAt: 0,
  deletedAt: null,
  ...more,
});

export const sent = (seq: number, body: string, more: Partial<Message> = {}): RelayEvent => ({
  type: 'message.new',
  seq,
  at: 0,
  message: message(seq, body, more),
  matched: 1,
});

export const task = (id: number, more: Partial<Task> = {}): Task => ({
  id,
  source: 'ops',
  type: null,
  severity: null,
  title: 'disk full',
  body: '',
  target: 'tag:ops',
  channel: null,
  dedupeKey: 'disk',
  externalUrl: null,
  metadata: null,
  status: 'open',
  claimedBy: null,
  claimId: null,
  result: null,
  progress: null,
  occurrenceCount: 1,
  lastSeenAt: 0,
  createdAt: 0,
  updatedAt: 0,
  endedAt: null,
  ...more,
});

export const offered = (id: number, taskId = id): RelayEvent =>
  sent(id, 'disk full', { kind: 'task', claimable: true, payload: { taskId } });

type TaskEventName = Extract<RelayEvent, { task: Task }>['type'];
export const taskTold = (seq: number, type: TaskEventName, told: Task): RelayEvent => ({ type, seq, at: 0, task: told });

export const claimed = (seq: number, subjectId: number, fence: number, claimId: string): RelayEvent => {
  const more = { kind: 'task', subjectId, agentId: 'a', epoch: 1, fence, claimedAt: 0, progress: null } as const;
  const claim: Claim = { ...more, claimId, status: 'held', leaseExpiresAt: 1 };
  return { type: 'message.claimed', seq, at: 0, claim, messageId: subjectId };
};

const sides = { requester: 'a', target: 'b', objective: 'x', requestedAt: 0 };
export const pending = (id: number, more: { readonly target?: string } = {}): Pair => ({ id, ...sides, ...more, status: 'pending' });
export const active = (id: number): Pair => ({ id, ...sides, status: 'active', acceptedAt: 1 });
export const over = (id: number, acceptedAt: number | null = 1): Pair => ({
  id,
  ...sides,
  status: 'ended',
  acceptedAt,
  endedAt: 2,
  endedBy: 'a',
  cause: 'hung_up',
  reason: null,
});

type PairEventName = Extract<RelayEvent, { pair: Pair }>['type'];
export const pairTold = (seq: number, type: PairEventName, told: Pair): RelayEvent => ({ type, seq, at: 0, pair: told });
