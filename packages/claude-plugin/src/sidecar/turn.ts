/**
 * The turn that runs in the session, as its hooks tell it. Once relay mail is part of a turn it stays so to its end: what a person types into it
 * does not take the mail out of it. A stop is not yet that end, for another hook of the session may keep the turn going; what shows the end is the
 * next prompt of a person, or that the session is idle or over.
 */
export class LiveTurn {
  #isBusy = false;
  #hasMail = false;

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Relay mail is part of it. */
  get hasMail(): boolean {
    return this.#hasMail;
  }

  /** Something was given to the model: it begins a turn, or enters the one that runs. */
  prompted({ hasMail }: { readonly hasMail: boolean }): void {
    this.#hasMail = hasMail || (this.#isBusy && this.#hasMail);
    this.#isBusy = true;
  }

  /** A tool is used: a turn that had stopped has gone on. */
  worked(): void {
    this.#isBusy = true;
  }

  /** Mail is part of the turn that runs, otherwise than by its prompt. */
  mailArrived(): void {
    this.#isBusy = true;
    this.#hasMail = true;
  }

  /** Held by a process that was here before, or by a hook that nobody answered. */
  heldBefore({ isStopped }: { readonly isStopped: boolean }): void {
    this.#isBusy = !isStopped;
    this.#hasMail = true;
  }

  /** The model has stopped, perhaps not for good. */
  stopped(): void {
    this.#isBusy = false;
  }

  /** It is over for certain. */
  ended(): void {
    this.#isBusy = false;
    this.#hasMail = false;
  }
}
