import type { SessionIdentity } from 'agent-relay-host';
import type { DeliveryReport } from 'agent-relay-protocol';
import { isRetryable, type Log, Pump } from 'agent-relay-wire';
import type { LinkHolder } from './link-holder.ts';

const MAX_WAITING = 10_000;
const MAX_BATCH = 200;

interface Waiting {
  readonly report: DeliveryReport;
  readonly onTold: () => void;
}

/** What the agents' runtimes had to say about mail, kept in order until the relay has it. */
export class DeliveryReports {
  readonly #links: LinkHolder;
  readonly #log: Log;
  readonly #waiting = new Map<string, { readonly session: SessionIdentity; reports: Waiting[] }>();
  readonly #pump: Pump;

  constructor(links: LinkHolder, log: Log) {
    this.#links = links;
    this.#log = log;
    this.#pump = new Pump(
      () => this.#run(),
      (error) => log.error('delivery reports broke', { error }),
    );
  }

  /** Resolves when the relay has them: never where it wants them no more. */
  async add(session: SessionIdentity, reports: readonly DeliveryReport[]): Promise<void> {
    const waiting = this.#waiting.get(session.sessionId) ?? { session, reports: [] };
    this.#waiting.set(session.sessionId, waiting);
    const told = reports.map((report) => new Promise<void>((onTold) => waiting.reports.push({ report, onTold })));
    // Only reached when the relay stays away: the oldest say the least.
    if (waiting.reports.length > MAX_WAITING) waiting.reports = waiting.reports.slice(-MAX_WAITING);
    void this.flush();
    await Promise.all(told);
  }

  /** Whether the relay does not have all of a session's words yet. */
  isWaiting(sessionId: string): boolean {
    return (this.#waiting.get(sessionId)?.reports.length ?? 0) > 0;
  }

  /** Sends what waits; resolves when nothing does, or the link is lost. */
  flush(): Promise<void> {
    this.#pump.wake();
    return this.#pump.settled();
  }

  async #run(): Promise<void> {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const link = this.#links.current;
      if (link === null) break;
      const { session, reports } = next;
      const batch = reports.slice(0, MAX_BATCH);
      const { agentId: id, instanceId, epoch } = session;
      try {
        await link.callRoute('deliveries/report', { id, instanceId, epoch, reports: batch.map(({ report }) => report) });
        next.reports = next.reports.slice(batch.length);
        for (const { onTold } of batch) onTold();
      } catch (error) {
        if (isRetryable(error)) break;
        // A newer session has the agent, or the agent is gone: nobody wants this word any more.
        this.#waiting.delete(session.sessionId);
        this.#log.warn('the relay refused delivery reports', { sessionId: session.sessionId, error });
      }
    }
  }

  #next() {
    for (const [sessionId, waiting] of this.#waiting) {
      if (waiting.reports.length > 0) return waiting;
      this.#waiting.delete(sessionId);
    }
    return undefined;
  }
}
