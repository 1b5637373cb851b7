import type { ControlAnswer } from './control-requests.ts';

/** What the answer to `initialize` tells of the process that gave it. */
export interface GreetedCli {
  /** Somebody had spoken to it before. Up to 2.1.120 it says so by a refusal; newer ones do not say it. */
  readonly isContinued: boolean;
  /** Its process id on its own machine. Up to 2.1.120 it is told in the first answer only; null where it was not heard. */
  readonly program: string | null;
  /** It is the one that was spoken to on the link before. */
  readonly isSame: boolean;
}

/**
 * Which process is behind the links of one connection, as far as it can be known. An `initialize` that succeeds names it; up to 2.1.120 a second one to
 * the same process is refused, and names nobody. Where an earlier one went unanswered the refusal may be that of a process which only that one was said
 * to: it counts as the one before when it repeats, as CLIs do that dial again, what that one had said.
 */
export class KnownProcess {
  #pid: string | null = null;
  #isContinued: boolean | undefined;
  #isUnanswered = false;
  #isInDoubt = false;

  get pid(): string | null {
    return this.#pid;
  }

  get isContinued(): boolean {
    return this.#isContinued ?? false;
  }

  /** `initialize` is about to be said on a link. */
  asked(): void {
    this.#isInDoubt = this.#isUnanswered;
    this.#isUnanswered = true;
  }

  /** On this link came what the one before had said. */
  recognised(): void {
    this.#isInDoubt = false;
  }

  /** Null when it is another than before, or may be. */
  answered({ isSuccess, response }: ControlAnswer): GreetedCli | null {
    const pid = isSuccess && typeof response['pid'] === 'number' ? `${response['pid']}` : null;
    const isFirst = this.#isContinued === undefined;
    const isAnother = pid === null ? this.#isInDoubt : pid !== this.#pid;
    if (!isFirst && isAnother) return null;
    this.#isUnanswered = false;
    this.#isContinued ??= !isSuccess;
    this.#pid ??= pid;
    return { isContinued: !isSuccess, program: this.#pid, isSame: !isFirst };
  }
}
