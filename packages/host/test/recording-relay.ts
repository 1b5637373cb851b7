import { type AgentEvent, type DeliveryReport, type InboxItem, RelayError } from 'agent-relay-protocol';
import type { HostRelay, SessionEnd, SessionIdentity } from '../src/host-relay.ts';

/** The far side of a host: keeps what it was told and answers as the test says. */
export class RecordingRelay implements HostRelay {
  readonly dispatched: (readonly number[])[] = [];
  readonly reports: DeliveryReport[] = [];
  readonly sent: { readonly to: string; readonly body: string; readonly idempotencyKey: string }[] = [];
  readonly spawned: { readonly name: string; readonly provider: string; readonly task: string | null }[] = [];
  readonly asked: Parameters<HostRelay['reservedAgainst']>[1][] = [];
  readonly live: AgentEvent[] = [];
  readonly presence: string[] = [];
  readonly ended: ({ readonly sessionId: string } & SessionEnd)[] = [];
  /** Messages that the agent has read by itself. */
  readonly taken = new Set<number>();
  isAway = false;
  /** Answers a question about mail in the relay's place; undefined leaves it to the relay. */
  onDispatch: (messageIds: readonly number[]) => readonly number[] | undefined = () => undefined;

  async dispatch(_session: SessionIdentity, messageIds: readonly number[]): Promise<readonly number[]> {
    if (this.isAway) throw new RelayError('connection_closed', 'The relay is away');
    this.dispatched.push(messageIds);
    return this.onDispatch(messageIds) ?? messageIds.filter((id) => !this.taken.has(id));
  }

  async report(_session: SessionIdentity, reports: readonly DeliveryReport[]): Promise<void> {
    this.reports.push(...reports);
  }

  async send(_session: SessionIdentity, message: { to: string; body: string; idempotencyKey: string }) {
    if (message.to === 'Ghost') throw new RelayError('not_found', 'There is no agent Ghost');
    this.sent.push(message);
    return { matched: message.to === 'tag:nobody' ? 0 : 1 };
  }

  async reservedAgainst(_session: SessionIdentity, use: Parameters<HostRelay['reservedAgainst']>[1]) {
    this.asked.push(use);
    return null;
  }

  async spawn(_session: SessionIdentity, request: { name: string; provider: string; task: string | null }) {
    this.spawned.push(request);
  }

  activityStored(): void {}

  activityLive(_session: SessionIdentity, _at: number, events: readonly AgentEvent[]): void {
    this.live.push(...events);
  }

  presenceChanged(_session: SessionIdentity, presence: 'idle' | 'busy'): void {
    this.presence.push(presence);
  }

  sessionEnded({ sessionId }: SessionIdentity, end: SessionEnd): void {
    this.ended.push({ sessionId, ...end });
  }
}

export function inboxItem(id: number, body: string, mode: InboxItem['message']['mode'] = 'next'): InboxItem {
  const message = {
    subject: null,
    channel: null,
    kind: 'chat',
    claimable: false,
    replyTo: null,
    expiresAt: null,
    payload: null,
    meta: null,
  };
  const sender = { relation: 'peer', principal: 'agent:Lead' } as const;
  return {
    message: { ...message, id, from: 'Lead', to: 'id:Worker', body, threadId: id, mode, sender, hops: 0, createdAt: 0, deletedAt: null },
    state: 'queued',
    nonce: `nonce-${id}`,
  };
}
