import type { AgentEvent, DeliveryReport } from 'agent-relay-protocol';
import { RecentMap } from 'agent-relay-wire';

/** How `SessionEvents` ends the turn of a session whose process or connection is gone. */
const deaths: ReadonlySet<string> = new Set(['agent_crashed', 'agent_lost']);

/** For each session: a runtime that never says more must not fill the memory. */
const REPORTS_KEPT = 1000;

/** What a session's events say of the mail it was given, to be told to the relay in the order in which it is answered here. */
export class MailEvidence {
  /** What the runtime has confirmed and may not have finished: what would die with its turn, or with the session where no turn has had it yet. */
  readonly #unfinished = new RecentMap<number, DeliveryReport>(REPORTS_KEPT);

  observe(event: AgentEvent): readonly DeliveryReport[] {
    switch (event.type) {
      case 'input.accepted': {
        const report = { messageId: event.messageId, state: event.state, evidence: event.evidence };
        this.#unfinished.set(event.messageId, report);
        return [report];
      }
      case 'turn.failed':
        if (deaths.has(event.error.code)) return this.#died(event.error.message);
        this.#turnEnded();
        return [];
      case 'turn.completed':
        this.#turnEnded();
        return [];
      case 'session.ended':
        return this.#died(event.detail ?? event.reason);
      default:
        return [];
    }
  }

  /** What the runtime has and its model has not read may come in with a later turn. */
  #turnEnded(): void {
    for (const [messageId, { state }] of this.#unfinished) if (state !== 'delivered') this.#unfinished.delete(messageId);
  }

  /** The sender reads beside its receipt that nothing came of it. */
  #died(message: string): readonly DeliveryReport[] {
    const reports = [...this.#unfinished.values()].map((report) => ({ ...report, reason: reasonFor(report, message) }));
    this.#unfinished.clear();
    return reports;
  }
}

function reasonFor({ state }: DeliveryReport, message: string): string {
  const sentence =
    state === 'delivered'
      ? 'The session ended before there was a sign that the agent had read this'
      : "The agent's process ended while it worked on this";
  return `${sentence}: ${message}`.slice(0, 1000);
}
