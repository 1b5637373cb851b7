import type { AgentEvent, DeliveryReport } from 'agent-relay-protocol';

/** How `SessionEvents` ends the turn of a session whose process or connection is gone. */
const deaths: ReadonlySet<string> = new Set(['agent_crashed', 'agent_lost']);

/** What a session's events say of the mail it was given, to be told to the relay in the order in which it is answered here. */
export class MailEvidence {
  /** What the runtime has confirmed since the last turn ended: what would die with this one. */
  readonly #unfinished = new Map<number, DeliveryReport>();

  observe(event: AgentEvent): readonly DeliveryReport[] {
    switch (event.type) {
      case 'input.accepted': {
        const report = { messageId: event.messageId, state: event.state, evidence: event.evidence };
        this.#unfinished.set(event.messageId, report);
        return [report];
      }
      case 'turn.failed': {
        const reports = deaths.has(event.error.code) ? this.died(event.error.message) : [];
        this.#unfinished.clear();
        return reports;
      }
      case 'turn.completed':
        this.#unfinished.clear();
        return [];
      default:
        return [];
    }
  }

  /** The sender of what the agent was working on reads beside its "seen" that nothing came of it. */
  died(message: string): readonly DeliveryReport[] {
    const reason = `The agent's process ended while it worked on this: ${message}`.slice(0, 1000);
    return [...this.#unfinished.values()].map((report) => ({ ...report, reason }));
  }
}
