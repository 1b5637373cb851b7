/** Counts of values by size, in plain numbers: observing one costs a comparison or two and makes nothing. */
export class Histogram {
  /** Upper bounds, growing; what is above the last one counts in `count` only. */
  readonly bounds: readonly number[];
  /** For each bound, how many values were at most it and above the one before. */
  readonly counts: number[];
  count = 0;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.count += 1;
    this.sum += value;
    for (let place = 0; place < this.bounds.length; place += 1) {
      if (value > (this.bounds[place] ?? 0)) continue;
      this.counts[place] = (this.counts[place] ?? 0) + 1;
      return;
    }
  }
}
