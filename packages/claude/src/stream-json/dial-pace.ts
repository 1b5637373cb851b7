import { backoffDelays } from 'agent-relay-wire';

export interface DialPaceOptions {
  /** How long nobody may be heard before it is given up. Default 600 000. */
  readonly giveUpMs?: number;
  /** The first pause between two dials. Default 1 000; it doubles up to 30 000. */
  readonly firstPauseMs?: number;
  /** Told once for each time in which nobody is heard: what became of its first dial. */
  readonly onSilence: (why: string) => void;
}

/** When to dial again, and when to give up. A relay speaks first on each link: whoever only takes the link is nobody yet. */
export class DialPace {
  readonly #options: DialPaceOptions;
  #heardAt = performance.now();
  #pauses: Iterator<number, never, undefined>;
  #why: string | null = null;

  constructor(options: DialPaceOptions) {
    this.#options = options;
    this.#pauses = backoffDelays({ initialMs: options.firstPauseMs ?? 1_000 });
  }

  get isOver(): boolean {
    return performance.now() - this.#heardAt > (this.#options.giveUpMs ?? 600_000);
  }

  /** What became of the last dial. */
  get why(): string {
    return this.#why ?? 'nobody has said anything';
  }

  nextPauseMs(): number {
    return this.#pauses.next().value;
  }

  heard(): void {
    this.#heardAt = performance.now();
    this.#pauses = backoffDelays({ initialMs: this.#options.firstPauseMs ?? 1_000 });
    this.#why = null;
  }

  unheard(why: string): void {
    if (this.#why === null) this.#options.onSilence(why);
    this.#why = why;
  }
}
