import { type DeliveryReport, RelayError } from 'agent-relay-protocol';
import { retryWhileRetryable } from 'agent-relay-wire';
import type { ContextNote } from '../session/context-note.ts';
import type { AgentAtRelay } from './agent-presence.ts';

export interface MailReportsOptions {
  readonly onError: (error: unknown) => void;
  readonly context: Pick<ContextNote, 'settled'>;
}

/** In one call. */
const AT_ONCE = 200;

/** What became of mail, on its way to the relay: in order, and again while the relay is away. */
export class MailReports {
  readonly #options: MailReportsOptions;
  readonly #waiting: DeliveryReport[] = [];
  #attached: AgentAtRelay | undefined;
  #isReporting = false;

  constructor(options: MailReportsOptions) {
    this.#options = options;
  }

  /** Goes on as what the agent is registered as now. */
  begin(attached: AgentAtRelay): void {
    this.#attached = attached;
    void this.flush();
  }

  add(report: DeliveryReport): void {
    this.#waiting.push(report);
    void this.flush();
  }

  /** Resolves once the relay has what waits, or is gone; at once while another is at it. Never rejects. */
  async flush(): Promise<void> {
    if (this.#isReporting || this.#attached === undefined) return;
    this.#isReporting = true;
    try {
      while (this.#waiting.length > 0) {
        const { client, handle } = this.#attached;
        const reports = this.#waiting.slice(0, AT_ONCE);
        const guard = { id: handle.id, instanceId: handle.instanceId, epoch: handle.epoch };
        await retryWhileRetryable(() => client.deliveries.report({ ...guard, reports }), {
          initialMs: 100,
          maxMs: 5_000,
          signal: handle.signal,
        });
        this.#waiting.splice(0, reports.length);
        for (const { messageId } of reports) this.#options.context.settled(messageId);
      }
    } catch (error) {
      // What was said to an earlier registration is said again to the next.
      if (!(error instanceof RelayError)) this.#options.onError(error);
    } finally {
      this.#isReporting = false;
    }
  }
}
