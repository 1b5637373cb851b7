import type { HostLog, SessionIdentity } from 'agent-relay-host';
import { type DeliveryReport, RelayError } from 'agent-relay-protocol';
import type { LinkHolder } from './link-holder.ts';

const MAX_WAITING = 10_000;
const MAX_BATCH = 200;

/** What the agents' runtimes had to say about mail, kept in order until the relay has it. */
export class DeliveryReports {
  readonly #links: LinkHolder;
  readonly #log: HostLog;
  readonly #waiting = new Map<string, { readonly session: SessionIdentity; reports: DeliveryReport[] }>();
  #isRunning = false;
  #done: Promise<void> = Promise.resolve();

  constructor(links: LinkHolder, log: HostLog) {
    this.#links = links;
    this.#log = log;
  }

  add(session: SessionIdentity, reports: readonly DeliveryReport[]): void {
    const waiting = this.#waiting.get(session.sessionId) ?? { session, reports: [] };
    this.#waiting.set(session.sessionId, waiting);
    waiting.reports.push(...reports);
    // Only reached when the relay stays away: the oldest say the least.
    if (waiting.reports.length > MAX_WAITING) waiting.reports = waiting.reports.slice(-MAX_WAITING);
    void this.flush();
  }

  /** Sends what waits; resolves when nothing does, or the link is lost. */
  flush(): Promise<void> {
    if (!this.#isRunning) this.#done = this.#run();
    return this.#done;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const link = this.#links.current;
      if (link === null) break;
      const { session, reports } = next;
      const batch = reports.slice(0, MAX_BATCH);
      const { agentId: id, instanceId, epoch } = session;
      try {
        await link.callRoute('deliveries/report', { id, instanceId, epoch, reports: batch });
        next.reports = next.reports.slice(batch.length);
      } catch (error) {
        if (error instanceof RelayError && error.retryable) break;
        // A newer session has the agent, or the agent is gone: nobody wants this word any more.
        this.#waiting.delete(session.sessionId);
        this.#log.warn('the relay refused delivery reports', { sessionId: session.sessionId, error });
      }
    }
    this.#isRunning = false;
  }

  #next() {
    for (const [sessionId, waiting] of this.#waiting) {
      if (waiting.reports.length > 0) return waiting;
      this.#waiting.delete(sessionId);
    }
    return undefined;
  }
}
