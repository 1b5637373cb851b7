import type { AgentEvent } from 'agent-relay-protocol';

export interface ProgressLimits {
  /** How long a running turn may say nothing before people are told that it waits. Default 60 000. */
  readonly quietMs?: number;
  /** The same while one of its tools runs: a build may be silent for long. Default 600 000. */
  readonly quietToolMs?: number;
  /** How long after that it is called an error. Default 240 000. */
  readonly errorAfterMs?: number;
}

/**
 * Watches a session for a turn that makes no progress; some runtimes wait for a network for ever without failing.
 *
 * States: *resting* between turns; *moving* while a turn runs and says something; *waiting* once it has been silent for too long. The events it
 * gives to `onEvent` say so; it never ends a turn by itself, because silence is no proof.
 */
export class ProgressWatch {
  readonly #onEvent: (event: AgentEvent) => void;
  readonly #limits: Required<ProgressLimits>;
  readonly #openTools = new Set<string>();
  readonly #openApprovals = new Set<string>();
  #isTurnRunning = false;
  #isWaiting = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(onEvent: (event: AgentEvent) => void, limits: ProgressLimits = {}) {
    this.#onEvent = onEvent;
    this.#limits = {
      quietMs: limits.quietMs ?? 60_000,
      quietToolMs: limits.quietToolMs ?? 600_000,
      errorAfterMs: limits.errorAfterMs ?? 240_000,
    };
  }

  /** Call with each event of the runtime before it is stored, never with the ones this class made. */
  observe(event: AgentEvent): void {
    if (event.type === 'turn.started') this.#isTurnRunning = true;
    if (event.type === 'turn.completed' || event.type === 'turn.failed' || event.type === 'session.ended') this.#isTurnRunning = false;
    if (event.type === 'tool.started') this.#openTools.add(event.itemId);
    if (event.type === 'tool.completed') this.#openTools.delete(event.itemId);
    if (event.type === 'approval.requested') this.#openApprovals.add(event.approvalId);
    if (event.type === 'approval.resolved') this.#openApprovals.delete(event.approvalId);
    if (this.#isWaiting && this.#isTurnRunning) this.#onEvent({ type: 'session.status', status: 'busy' });
    this.#isWaiting = false;
    if (!this.#isTurnRunning) this.#openTools.clear();
    this.#arm();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(): void {
    this.close();
    // A person who has not answered is no fault of the agent's, and has a time limit of their own.
    if (!this.#isTurnRunning || this.#openApprovals.size > 0) return;
    const limitMs = this.#openTools.size > 0 ? this.#limits.quietToolMs : this.#limits.quietMs;
    this.#timer = setTimeout(() => this.#wait(limitMs), limitMs);
  }

  #wait(silentMs: number): void {
    this.#isWaiting = true;
    const detail = `The turn has made no progress for ${Math.round(silentMs / 1000)} seconds; the agent may be waiting for its model or the network`;
    this.#onEvent({ type: 'session.status', status: 'waiting', detail });
    this.#timer = setTimeout(() => {
      this.#onEvent({
        type: 'agent.error',
        code: 'no_progress',
        message: `${detail}. Interrupt or release it if it stays so`,
        willRetry: true,
      });
    }, this.#limits.errorAfterMs);
  }
}
