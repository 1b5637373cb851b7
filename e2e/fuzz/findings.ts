export interface Finding {
  readonly fault: string;
  readonly target: string;
  readonly lane: string;
  /** The how-manieth request of its lane. */
  readonly count: number;
  readonly sent: Buffer;
  readonly answer: string;
}

interface Kind {
  readonly first: Finding;
  readonly targets: Set<string>;
  times: number;
}

/** One of a kind is enough to look at. */
const MOST_KINDS = 40;
const SHOWN_CHARACTERS = 600;

/** What a run has come upon. */
export class Findings {
  readonly #kinds = new Map<string, Kind>();
  readonly #outcomes = new Map<string, number>();
  readonly #successes = new Map<string, number>();
  #requests = 0;
  #isOpen = true;

  /** False once the run is over early: the relay has gone. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get requests(): number {
    return this.#requests;
  }

  count(outcome: string): void {
    this.#requests += 1;
    add(this.#outcomes, outcome);
  }

  succeeded(target: string): void {
    add(this.#successes, target);
  }

  report(finding: Finding): void {
    const known = this.#kinds.get(finding.fault);
    if (known) {
      known.times += 1;
      known.targets.add(finding.target);
    } else if (this.#kinds.size < MOST_KINDS) {
      this.#kinds.set(finding.fault, { first: finding, targets: new Set([finding.target]), times: 1 });
    }
  }

  stop(): void {
    this.#isOpen = false;
  }

  outcomes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#outcomes);
  }

  /** How often each target did what it was asked for. */
  successes(): ReadonlyMap<string, number> {
    return this.#successes;
  }

  /** Each kind of fault once, with the first request that showed it. */
  faults(): readonly string[] {
    return [...this.#kinds].map(([fault, { first, targets, times }]) => {
      const { target, lane, count, sent, answer } = first;
      const where = `${times} times, at ${[...targets].slice(0, 8).join(', ')}`;
      const which = `first: ${target}, lane ${lane}, request ${count}`;
      return `${fault} (${where}; ${which})\n  sent: ${shown(sent.toString('latin1'))}\n  answer: ${shown(answer)}`;
    });
  }
}

const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

const shown = (text: string): string =>
  text.length > SHOWN_CHARACTERS
    ? `${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}… of ${text.length} characters`
    : JSON.stringify(text);
