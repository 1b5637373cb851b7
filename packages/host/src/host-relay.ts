import type { AgentEvent, DeliveryReport, SendMessage, Session } from 'agent-relay-protocol';

/** Which incarnation of which agent. */
export type SessionIdentity = Pick<Session, 'sessionId' | 'agentId' | 'instanceId' | 'epoch'>;

/** How a session ended: `failed` when its process died or its connection was lost. */
export interface SessionEnd {
  readonly status: 'ended' | 'failed';
  readonly reason: string;
}

/**
 * The relay as a host sees it: words, no wire. Whoever owns the link implements it. Nothing here may throw synchronously; what cannot be
 * said while the link is down is kept by the implementation where it says so.
 */
export interface HostRelay {
  /** Marks them dispatched and answers which may be handed over. Rejects while the relay is away; `Host.wake` tries again. */
  dispatch(session: SessionIdentity, messageIds: readonly number[]): Promise<readonly number[]>;
  /** Kept, in order, until the relay has it; resolves then, and never where the relay does not want it any more. */
  report(session: SessionIdentity, reports: readonly DeliveryReport[]): Promise<void>;
  /** Sends as the agent. Waits for the link for a while; the key makes sending twice harmless. */
  send(
    session: SessionIdentity,
    message: { readonly to: string; readonly body: string; readonly idempotencyKey: string } & Pick<SendMessage, 'kind' | 'mode' | 'meta'>,
  ): Promise<{ readonly matched: number }>;
  /** Who keeps this agent from files that it is about to change, in a sentence for it; null where nobody does, or the relay does not say in time. */
  reservedAgainst(
    session: SessionIdentity,
    use: { readonly kind: 'edit' | 'execute' | 'other'; readonly cwd?: string; readonly files?: string[] },
  ): Promise<string | null>;
  /** Starts an agent on behalf of this one. */
  spawn(
    session: SessionIdentity,
    request: { readonly name: string; readonly provider: string; readonly task: string | null },
  ): Promise<void>;
  /** The session's buffer has something new. */
  activityStored(session: SessionIdentity): void;
  /** Deltas that nobody stores. Lost while the link is down. */
  activityLive(session: SessionIdentity, at: number, events: readonly AgentEvent[]): void;
  presenceChanged(session: SessionIdentity, presence: 'idle' | 'busy'): void;
  /** The session is over and its processes are gone. Kept until the relay has it. */
  sessionEnded(session: SessionIdentity, end: SessionEnd): void;
}
