/**
 * Whether a session waits for a person, by its open questions and by what Claude says of itself. Each change is answered once, as the status that is
 * to be told; null when nothing changed.
 */
export class WaitingForPerson {
  #openQuestions = 0;
  /** Questions that Claude's own state has not told of yet: it may do so when they are answered. */
  #untold = 0;
  #isWaiting = false;

  asked(): 'waiting' | null {
    this.#openQuestions += 1;
    this.#untold += 1;
    return this.#waits();
  }

  answered(): 'busy' | null {
    this.#openQuestions -= 1;
    return this.goesOn();
  }

  /** Claude says that it cannot go on by itself. */
  needsAction(): 'waiting' | null {
    if (this.#untold === 0) return this.#waits();
    this.#untold -= 1;
    return null;
  }

  goesOn(): 'busy' | null {
    if (!this.#isWaiting || this.#openQuestions > 0) return null;
    this.#isWaiting = false;
    return 'busy';
  }

  /** Nothing runs any more. */
  ended(): void {
    this.#isWaiting = false;
    this.#untold = 0;
  }

  #waits(): 'waiting' | null {
    if (this.#isWaiting) return null;
    this.#isWaiting = true;
    return 'waiting';
  }
}
