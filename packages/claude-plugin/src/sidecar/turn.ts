/**
 * The turn that runs in the session, as its hooks tell it. Once relay mail is part of a turn it stays so to its end: what a person types into it
 * does not take the mail out of it. A turn that a person interrupted has no end that is told; the session's rest is.
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
    this.#isBusy = true;
    this.#hasMail ||= hasMail;
  }

  mailArrived(): void {
    this.#hasMail = true;
  }

  ended(): void {
    this.#isBusy = false;
    this.#hasMail = false;
  }
}
