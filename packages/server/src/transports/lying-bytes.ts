/** What one connection leaves lying one way, and since when it has not gone on with it. */
export class Lying {
  readonly #lying: () => number;
  /** How many bytes have gone this way. */
  readonly #gone: () => number;
  bytes = 0;
  sinceMs = 0;
  #lastGone = 0;

  constructor(lying: () => number, gone: () => number) {
    this.#lying = lying;
    this.#gone = gone;
  }

  look(nowMs: number): void {
    const gone = this.#gone();
    if (this.bytes === 0 || gone !== this.#lastGone) this.sinceMs = nowMs;
    this.bytes = this.#lying();
    this.#lastGone = gone;
  }
}

/** What lies of one connection, and of whom it is. */
export interface LyingOf {
  readonly caller: string;
  readonly bytes: number;
  /** Since when nothing of it has gone. */
  readonly sinceMs: number;
}

interface Excess {
  readonly maxBytes: number;
  readonly nowMs: number;
  /** Since when more than `maxBytes` lie. */
  readonly excessSinceMs: number;
}

/**
 * The kernel takes more only when a third of what it has taken is gone: of a reader of 100 KB/s, with 4 MB in the kernel's hands, something goes every
 * 11 to 15 seconds.
 */
const PATIENT_MS = 20_000;
/** Above twice the bound. */
const IMPATIENT_MS = 1_000;

/**
 * Those that have to end so that no more than `maxBytes` lie, once more has lain for as long as one may stand still: always of the caller that
 * holds most in all, what has stood still for longest. Where that is too little the largest end although they go on, and of equal ones the
 * newest. `held` is in the order in which they came.
 */
export function toEnd<Each extends LyingOf>(held: readonly Each[], { maxBytes, nowMs, excessSinceMs }: Excess): ReadonlySet<Each> {
  const totals = new Map<string, number>();
  for (const { caller, bytes } of held) totals.set(caller, (totals.get(caller) ?? 0) + bytes);
  let excess = [...totals.values()].reduce((sum, bytes) => sum + bytes, 0) - maxBytes;
  const patienceMs = excess > maxBytes ? IMPATIENT_MS : PATIENT_MS;
  const ended = new Set<Each>();
  if (nowMs - excessSinceMs < patienceMs) return ended;
  const endOf = (candidates: readonly Each[]) => {
    const lines = linesOf(candidates);
    while (excess > 0) {
      const next = fullest(lines, totals)?.pop();
      if (!next) return;
      ended.add(next);
      totals.set(next.caller, (totals.get(next.caller) ?? 0) - next.bytes);
      excess -= next.bytes;
    }
  };
  const lying = held.filter(({ bytes }) => bytes > 0);
  endOf(lying.filter(({ sinceMs }) => nowMs - sinceMs >= patienceMs).sort((one, other) => other.sinceMs - one.sinceMs));
  endOf(lying.filter((each) => !ended.has(each)).sort((one, other) => one.bytes - other.bytes));
  return ended;
}

/** By caller, in the order given. */
function linesOf<Each extends LyingOf>(held: readonly Each[]): Map<string, Each[]> {
  const lines = new Map<string, Each[]>();
  for (const each of held) {
    const line = lines.get(each.caller);
    if (line) line.push(each);
    else lines.set(each.caller, [each]);
  }
  return lines;
}

/** The line of the caller that holds most, of those in which somebody is. */
function fullest<Each>(lines: ReadonlyMap<string, Each[]>, totals: ReadonlyMap<string, number>): Each[] | null {
  let found: Each[] | null = null;
  let most = 0;
  for (const [caller, line] of lines) {
    const bytes = totals.get(caller) ?? 0;
    if (line.length === 0 || bytes <= most) continue;
    found = line;
    most = bytes;
  }
  return found;
}
