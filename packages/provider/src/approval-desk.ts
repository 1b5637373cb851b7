import { randomUUID } from 'node:crypto';
import type { AgentEvent } from 'agent-relay-protocol';
import type { ApprovalDecision } from './contract.ts';

type ApprovalEvent = Extract<AgentEvent, { type: 'approval.requested' | 'approval.resolved' }>;

/** What a person is asked: what, where, and exactly what would run. */
export type ApprovalQuestion = Omit<Extract<ApprovalEvent, { type: 'approval.requested' }>, 'type' | 'approvalId' | 'options'> & {
  /** What else a yes may allow until the session ends, in words: offered as an option of its own. */
  readonly forSession?: string;
};

/** What came of it. `message` is a sentence for the model. */
export type ApprovalVerdict =
  /** `forSession`: a person allowed what the question offered for the rest of the session. */
  | { readonly outcome: 'allowed'; readonly forSession?: true }
  | { readonly outcome: 'denied' | 'cancelled'; readonly by: string; readonly message: string };

export interface ApprovalDeskOptions {
  readonly emit: (event: ApprovalEvent) => void;
  /** How long a question waits for a person. */
  readonly timeoutMs: number;
}

type Options = Extract<ApprovalEvent, { type: 'approval.requested' }>['options'];

const optionsOf = (forSession: string | undefined): Options => [
  { id: 'allow', label: 'Allow once', outcome: 'allow' },
  ...(forSession === undefined ? [] : [{ id: 'allow-session', label: forSession, outcome: 'allow_always' as const }]),
  { id: 'deny', label: 'Deny', outcome: 'deny' },
];

/** What the model reads of a no without a reason. */
const denied = 'A person was asked and did not allow this. Say in your answer what you would do instead.';
const cancelled = 'Nobody can answer any more whether this is allowed.';

interface Waiting {
  readonly offersSession: boolean;
  readonly settle: (answer: ApprovalVerdict) => void;
}

/**
 * The questions of one session to a person. Each is told as `approval.requested`, waits, and is told as `approval.resolved` once: by the
 * answer, by nobody's answer in time (`denied` by `timeout`), or because there is nothing left to answer (`cancelled` by `session`).
 */
export class ApprovalDesk {
  readonly #options: ApprovalDeskOptions;
  readonly #waiting = new Map<string, Waiting>();
  #isClosed = false;

  constructor(options: ApprovalDeskOptions) {
    this.#options = options;
  }

  /** Asks, and resolves with what came of it. Aborting withdraws the question. */
  ask({ forSession, ...question }: ApprovalQuestion, signal?: AbortSignal): Promise<ApprovalVerdict> {
    if (this.#isClosed || signal?.aborted) return Promise.resolve({ outcome: 'cancelled', by: 'session', message: cancelled });
    const { emit, timeoutMs } = this.#options;
    const approvalId = randomUUID().replaceAll('-', '').slice(0, 12);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#nobodyAnswered(approvalId), timeoutMs);
      const onAbort = () => this.#tell(approvalId, { outcome: 'cancelled', by: 'session', message: cancelled });
      const settle = (answer: ApprovalVerdict) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(approvalId);
        resolve(answer);
      };
      this.#waiting.set(approvalId, { settle, offersSession: forSession !== undefined });
      signal?.addEventListener('abort', onAbort, { once: true });
      emit({ ...question, type: 'approval.requested', approvalId, options: optionsOf(forSession) });
    });
  }

  /** A person's answer; false when nothing of this id waits (any more). */
  resolve(approvalId: string, { outcome, by, message, forSession }: ApprovalDecision): boolean {
    const waiting = this.#waiting.get(approvalId);
    if (!waiting) return false;
    const said = message === undefined ? {} : { message };
    if (outcome === 'allow') {
      this.#options.emit({ type: 'approval.resolved', approvalId, outcome: 'allowed', by, ...said });
      waiting.settle({ outcome: 'allowed', ...(forSession && waiting.offersSession ? { forSession } : {}) });
    } else {
      this.#options.emit({ type: 'approval.resolved', approvalId, outcome: 'denied', by, ...said });
      waiting.settle({ outcome: 'denied', by, message: message === undefined ? denied : `A person did not allow this: ${message}` });
    }
    return true;
  }

  /** The session has told already that the question is cancelled. */
  cancelled(approvalId: string): void {
    this.#waiting.get(approvalId)?.settle({ outcome: 'cancelled', by: 'session', message: cancelled });
  }

  /** The session is over: nothing waits, and nothing is asked any more. */
  close(): void {
    this.#isClosed = true;
    for (const approvalId of this.#waiting.keys()) this.cancelled(approvalId);
  }

  #nobodyAnswered(approvalId: string): void {
    const message = `Nobody answered within ${span(this.#options.timeoutMs)}, so this was not allowed. Say in your answer what you would do.`;
    this.#tell(approvalId, { outcome: 'denied', by: 'timeout', message });
  }

  #tell(approvalId: string, answer: Extract<ApprovalVerdict, { message: string }>): void {
    this.#options.emit({ type: 'approval.resolved', approvalId, ...answer });
    this.#waiting.get(approvalId)?.settle(answer);
  }
}

function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.round(seconds / 60)} minutes`;
}
