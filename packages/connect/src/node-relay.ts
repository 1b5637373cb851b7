import { randomUUID } from 'node:crypto';
import type { Host, HostRelay, SessionEnd, SessionIdentity } from 'agent-relay-host';
import { type AgentEvent, type DeliveryReport, KnownReservations, RelayError } from 'agent-relay-protocol';
import { isRetryable, type Log, withTimeout } from 'agent-relay-wire';
import { ActivityUpload } from './activity-upload.ts';
import { DeliveryReports } from './delivery-reports.ts';
import type { InboxSubscriptions } from './inbox-subscriptions.ts';
import { type LinkHolder, wasLost } from './link-holder.ts';
import { LiveDeltas } from './live-deltas.ts';
import type { RelayLink } from './relay-link.ts';
import type { ToolDoor } from './tool-door.ts';

/** How long an agent's own sends and spawns wait for a relay that is away. */
const LINK_WAIT_MS = 60_000;
/** A tool waits so long: a vendor's hook has a limit of its own. */
const CHECK_LIMIT_MS = 5_000;

export interface NodeRelayOptions {
  readonly links: LinkHolder;
  readonly log: Log;
  readonly clock: { now(): number };
  readonly tools: Pick<ToolDoor, 'dismiss'>;
  readonly onEnded?: (session: SessionIdentity, end: SessionEnd) => void;
}

/** The relay as the host sees it, over a link that comes and goes: what must not be lost is kept here until the relay has it. */
export class NodeRelay implements HostRelay {
  readonly reports: DeliveryReports;
  readonly #links: LinkHolder;
  readonly #log: Log;
  readonly #live: LiveDeltas;
  readonly #reservations: KnownReservations;
  readonly #tools: Pick<ToolDoor, 'dismiss'>;
  readonly #uploads = new Map<string, ActivityUpload>();
  readonly #ends = new Map<string, SessionEnd>();
  #host: Pick<Host, 'buffers' | 'forget'> | null = null;
  #inboxes: Pick<InboxSubscriptions, 'has'> | null = null;
  readonly #onEnded: NonNullable<NodeRelayOptions['onEnded']>;
  #isFinishing = false;

  constructor({ links, log, clock, tools, onEnded = () => {} }: NodeRelayOptions) {
    this.#links = links;
    this.#log = log;
    this.reports = new DeliveryReports(links, log);
    this.#live = new LiveDeltas(links);
    this.#reservations = new KnownReservations({
      clock: { now: () => clock.now(), elapsedMs: () => performance.now() },
      onFault: (error) => log.debug('what is reserved was not read', { error }),
    });
    this.#tools = tools;
    this.#onEnded = onEnded;
  }

  /** Sessions that an earlier process left behind are over: their activity and their end are still owed. */
  serve(host: Pick<Host, 'buffers' | 'forget'>): void {
    this.#host = host;
    for (const { owner } of host.buffers) {
      this.#ends.set(owner.sessionId, { status: 'failed', reason: 'relay-connect ended unexpectedly and its agents with it' });
    }
  }

  /** Whether everything is said. */
  get isSettled(): boolean {
    return this.#ends.size === 0;
  }

  /** The inboxes of the current link. */
  deliverFrom(inboxes: Pick<InboxSubscriptions, 'has'>): void {
    this.#inboxes = inboxes;
  }

  async dispatch({ sessionId, agentId, instanceId, epoch }: SessionIdentity, messageIds: readonly number[]): Promise<readonly number[]> {
    const link = this.#links.require();
    // A relay that does not deliver through this link yet cannot tell what is still to be handed over.
    if (!this.#inboxes?.has(sessionId)) throw new RelayError('connection_closed', 'The inbox is not open at the moment');
    const reports = messageIds.map((messageId) => ({ messageId, state: 'dispatched' as const }));
    const { applied } = await link.callRoute('deliveries/report', { id: agentId, instanceId, epoch, reports });
    return applied;
  }

  report(session: SessionIdentity, reports: readonly DeliveryReport[]): Promise<void> {
    return this.reports.add(session, reports);
  }

  async send({ agentId: from }: SessionIdentity, message: Parameters<HostRelay['send']>[1]): Promise<{ readonly matched: number }> {
    return this.#untilAnswered((link) => link.callRoute('messages/send', { from, ...message }));
  }

  async reservedAgainst({ sessionId, agentId }: SessionIdentity, use: Parameters<HostRelay['reservedAgainst']>[1]): Promise<string | null> {
    const link = this.#links.current;
    if (link === null) return this.#reservations.against(agentId, use);
    try {
      const { holder, reason } = await withTimeout(() => link.callRoute('reservations/check', { agentId, ...use }), CHECK_LIMIT_MS, {
        what: 'look at reservations',
      });
      if (holder) this.#reservations.met(holder);
      return reason;
    } catch (error) {
      this.#log.info('nobody said whether files are reserved', { sessionId, error });
      return this.#reservations.against(agentId, use);
    }
  }

  /** Reads what is reserved, for when the relay is away. Called when the link is back and now and then; never rejects. */
  async readReservations(): Promise<void> {
    const link = this.#links.current;
    if (link !== null) await this.#reservations.refresh((page) => link.callRoute('reservations/list', page));
  }

  async spawn(
    { agentId: spawnedBy }: SessionIdentity,
    { name, provider, task }: { readonly name: string; readonly provider: string; readonly task: string | null },
  ): Promise<void> {
    const request = { name, provider, spawnedBy, idempotencyKey: randomUUID(), ...(task === null ? {} : { task }) };
    // A machine that cannot start an agent now is not asked again for it at once.
    await this.#untilAnswered((link) => link.callRoute('sessions/start', request), wasLost);
  }

  /** A link that is lost between a call and its answer leaves it open whether it was done: the call's key makes asking again safe. */
  async #untilAnswered<Answer>(
    call: (link: RelayLink) => Promise<Answer>,
    mayPass: (error: unknown) => boolean = isRetryable,
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      const link = await this.#links.wait(LINK_WAIT_MS);
      try {
        return await call(link);
      } catch (error) {
        if (attempt >= 3 || !mayPass(error)) throw error;
      }
    }
  }

  activityStored({ sessionId }: SessionIdentity): void {
    this.#live.flush(sessionId);
    void this.#upload(sessionId)?.flush();
  }

  activityLive({ sessionId }: SessionIdentity, at: number, events: readonly AgentEvent[]): void {
    this.#live.add(sessionId, at, events);
  }

  presenceChanged({ sessionId }: SessionIdentity, presence: 'idle' | 'busy'): void {
    // The next heartbeat says it again.
    this.#links.current
      ?.callNode('sessions/report', { sessionId, status: 'running', activity: presence })
      .catch((error: unknown) => this.#log.debug('a presence was not reported', { sessionId, error }));
  }

  sessionEnded(session: SessionIdentity, end: SessionEnd): void {
    const { sessionId } = session;
    const { status, reason } = end;
    this.#tools.dismiss(sessionId);
    this.#onEnded(session, end);
    this.#ends.set(sessionId, { status, reason: reason.slice(0, 1000) });
    void this.settle();
  }

  /** The relay said up to where it has a session's activity. */
  resumeFrom(sessionId: string, ackedSeq: number): void {
    this.#upload(sessionId)?.resumeFrom(ackedSeq);
  }

  /** Brings over whatever the relay does not have yet. Called when the link is back and now and then. */
  async flush(): Promise<void> {
    await this.reports.flush();
    await Promise.all((this.#host?.buffers ?? []).map(async ({ owner }) => this.#upload(owner.sessionId)?.flush()));
    await this.settle();
  }

  /** Says which sessions are over, each after its last activity. */
  async settle(): Promise<void> {
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    try {
      for (const [sessionId, end] of this.#ends) if (!(await this.#settleOne(sessionId, end))) break;
    } finally {
      this.#isFinishing = false;
    }
  }

  async #settleOne(sessionId: string, end: SessionEnd): Promise<boolean> {
    const upload = this.#upload(sessionId);
    // Both first: after its end nobody takes the word of a session's runtime any more, and its activity would count as late.
    await this.reports.flush();
    await upload?.flush();
    const link = this.#links.current;
    if (link === null || this.reports.isWaiting(sessionId) || (upload && !upload.isDone)) return false;
    try {
      await link.callNode('sessions/report', { sessionId, ...end });
    } catch (error) {
      if (isRetryable(error)) return false;
      this.#log.info('the relay no longer knows a session that ended', { sessionId, error });
    }
    this.#ends.delete(sessionId);
    this.#uploads.delete(sessionId);
    this.#host?.forget(sessionId);
    return true;
  }

  #upload(sessionId: string): ActivityUpload | undefined {
    const known = this.#uploads.get(sessionId);
    if (known) return known;
    const buffer = this.#host?.buffers.find(({ owner }) => owner.sessionId === sessionId);
    if (!buffer) return undefined;
    const upload = new ActivityUpload(buffer, this.#links, this.#log);
    this.#uploads.set(sessionId, upload);
    return upload;
  }
}
