import { randomUUID } from 'node:crypto';
import { type AgentEvent, type ApprovalOption, type FormAnswers, fitsApproval, keptAnswers, readAnswer } from 'agent-relay-protocol';
import type { ApprovalDecision } from './contract.ts';

type ApprovalEvent = Extract<AgentEvent, { type: 'approval.requested' | 'approval.resolved' }>;
type Requested = Extract<ApprovalEvent, { type: 'approval.requested' }>;

/** What a person is asked: what, where, and exactly what would run; or, with a `form`, what they are asked for in words. */
export type ApprovalQuestion = Omit<Requested, 'type' | 'approvalId' | 'options' | 'expiresInMs'> & {
  /** The vendor's own answers; left out, a person allows it once or denies it. */
  readonly options?: readonly ApprovalOption[];
  /** What else a yes may allow until the session ends, in words: offered as an option of its own, where `options` is left out. */
  readonly forSession?: string;
};

/** What came of it. `message` is a sentence for the model; `optionId` the option that a person chose, where the question has one of the kind. */
export type ApprovalVerdict =
  | {
      readonly outcome: 'allowed';
      readonly optionId?: string;
      /** A person allowed what the question offered for the rest of the session. */
      readonly forSession?: true;
      readonly answers?: FormAnswers;
      /** What shall run instead of the input. */
      readonly updatedInput?: Requested['input'];
      /** What was said with the yes. */
      readonly message?: string;
    }
  | { readonly outcome: 'denied' | 'cancelled'; readonly by: string; readonly message: string; readonly optionId?: string };

export interface ApprovalDeskOptions {
  readonly emit: (event: ApprovalEvent) => void;
  /** How long a question waits for a person. */
  readonly timeoutMs: number;
}

const optionsOf = (forSession: string | undefined): readonly ApprovalOption[] => [
  { id: 'allow', label: 'Allow once', outcome: 'allow' },
  ...(forSession === undefined ? [] : [{ id: 'allow-session', label: forSession, outcome: 'allow_session' as const }]),
  { id: 'deny', label: 'Deny', outcome: 'deny' },
];

/** What the model reads of a no without a reason. */
const denied = 'A person was asked and did not allow this. Say in your answer what you would do instead.';
const cancelled = 'Nobody can answer any more whether this is allowed.';

/** What no person can be shown whole is not asked. */
const tooLong = 'This question is too long for a person to be asked, so it was not allowed. Ask something shorter.';

interface Waiting {
  readonly asked: Requested;
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

  /** Asks, and resolves with what came of it. Aborting withdraws the question. One that is longer than `approvalLimits` is denied by `policy`. */
  ask({ forSession, options = optionsOf(forSession), ...question }: ApprovalQuestion, signal?: AbortSignal): Promise<ApprovalVerdict> {
    if (this.#isClosed || signal?.aborted) return Promise.resolve({ outcome: 'cancelled', by: 'session', message: cancelled });
    const { emit, timeoutMs } = this.#options;
    const approvalId = randomUUID().replaceAll('-', '').slice(0, 12);
    const asked: Requested = {
      ...question,
      type: 'approval.requested',
      approvalId,
      options: [...options],
      expiresInMs: timeoutMs,
    };
    if (!fitsApproval(asked)) return Promise.resolve(this.#refuse(asked));
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#nobodyAnswered(approvalId), timeoutMs);
      const onAbort = () => this.#tell(approvalId, { outcome: 'cancelled', by: 'session', message: cancelled });
      const settle = (answer: ApprovalVerdict) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#waiting.delete(approvalId);
        resolve(answer);
      };
      this.#waiting.set(approvalId, { settle, asked });
      signal?.addEventListener('abort', onAbort, { once: true });
      emit(asked);
    });
  }

  /**
   * A person's answer; false when nothing of this id waits (any more).
   * @throws RelayError `validation_failed` naming what the question does not take; it goes on to wait.
   */
  resolve(approvalId: string, { by, message, forSession, ...given }: ApprovalDecision): boolean {
    const waiting = this.#waiting.get(approvalId);
    if (!waiting) return false;
    const { options, form = [] } = waiting.asked;
    const meant = forSession ? options.find(({ outcome }) => outcome === 'allow_session')?.id : undefined;
    const named = given.optionId ?? meant;
    const { outcome, option } = readAnswer(waiting.asked, { ...given, optionId: named });
    const { answers, updatedInput } = given;
    const told = {
      ...(named === undefined ? {} : { optionId: named }),
      ...(message === undefined ? {} : { message }),
    };
    const chosen = option === null ? {} : { optionId: option.id };
    if (outcome === 'deny') {
      this.#options.emit({ type: 'approval.resolved', approvalId, outcome: 'denied', by, ...told });
      const why = message === undefined ? denied : `A person did not allow this: ${message}`;
      waiting.settle({ outcome: 'denied', by, message: why, ...chosen });
      return true;
    }
    const brought = { ...(answers && { answers }), ...(updatedInput === undefined ? {} : { updatedInput }) };
    const kept = answers && { answers: keptAnswers(form, answers) };
    this.#options.emit({ type: 'approval.resolved', approvalId, outcome: 'allowed', by, ...told, ...brought, ...kept });
    const isForSession = option?.outcome === 'allow_session' ? { forSession: true as const } : {};
    waiting.settle({ outcome: 'allowed', ...chosen, ...isForSession, ...brought, ...(message === undefined ? {} : { message }) });
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

  /** Told as a question without options: nobody is asked. */
  #refuse({ form: _, options: __, expiresInMs: ___, ...asked }: Requested): ApprovalVerdict {
    const verdict = { outcome: 'denied', by: 'policy', message: tooLong } as const;
    this.#options.emit({ ...asked, options: [] });
    this.#options.emit({ type: 'approval.resolved', approvalId: asked.approvalId, ...verdict });
    return verdict;
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
