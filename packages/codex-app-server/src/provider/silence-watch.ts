/**
 * Notices a model that says nothing. Without a network or a login Codex waits for ever and fails no turn, so that nobody would learn why
 * an agent does not answer.
 *
 * States: *resting* between turns and while a tool runs; *listening* while it is the model's turn to speak. Told once per silence.
 */
export class SilenceWatch {
  readonly #limitMs: number;
  readonly #onSilence: (silentMs: number) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limitMs: number, onSilence: (silentMs: number) => void) {
    this.#limitMs = limitMs;
    this.#onSilence = onSilence;
  }

  /** It is the model's turn now: counts from here. */
  listen(): void {
    this.rest();
    this.#timer = setTimeout(() => this.#onSilence(this.#limitMs), this.#limitMs);
    this.#timer.unref();
  }

  rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
