/** How much may be looked at in all; once it is spent, whatever is compared counts as meeting. */
export class Steps {
  #left: number;

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#left = limit;
  }

  /** Whether something was compared that these did not suffice for. */
  get areSpent(): boolean {
    return this.#left < 0;
  }

  /** False once they do not suffice. */
  take(count: number): boolean {
    this.#left -= count;
    return this.#left >= 0;
  }
}

export interface Meeting<Item> {
  /** Stands for any number of items. */
  readonly isStar: (item: Item) => boolean;
  /** Of two that are no stars: whether something is both. */
  readonly fits: (one: Item, other: Item) => boolean;
  readonly steps: Steps;
}

/** Whether some sequence is meant by both, or may be where the steps were too few; at most |one| × |other| pairs are looked at. */
export function sequencesMeet<Item>(one: readonly Item[], other: readonly Item[], meeting: Meeting<Item>): boolean {
  if (!meeting.steps.take(one.length + other.length)) return true;
  const [star, otherStar] = [one.findIndex(meeting.isStar), other.findIndex(meeting.isStar)];
  if (star === -1) return isMatch(other, one, meeting);
  if (otherStar === -1) return isMatch(one, other, meeting);
  // What is between its first and its last star the other's stars take in: only the ends can differ.
  const [end, otherEnd] = [one.findLastIndex(meeting.isStar), other.findLastIndex(meeting.isStar)];
  return (
    prefixesFit(one.slice(0, star), other.slice(0, otherStar), meeting) &&
    prefixesFit(one.slice(end + 1).reverse(), other.slice(otherEnd + 1).reverse(), meeting)
  );
}

const prefixesFit = <Item>(one: readonly Item[], other: readonly Item[], { fits }: Meeting<Item>): boolean =>
  one.slice(0, other.length).every((item, index) => fits(item, other[index] as Item));

/** A sequence without stars against one that may have some: after each star the first place that fits is as good as any later one. */
function isMatch<Item>(pattern: readonly Item[], items: readonly Item[], { isStar, fits, steps }: Meeting<Item>): boolean {
  let [at, place] = [0, 0];
  let back: { readonly at: number; readonly place: number } | null = null;
  while (place < items.length) {
    if (!steps.take(1)) return true;
    const [wanted, item] = [pattern[at], items[place] as Item];
    if (wanted !== undefined && isStar(wanted)) {
      at += 1;
      back = { at, place };
    } else if (wanted !== undefined && fits(wanted, item)) {
      at += 1;
      place += 1;
    } else {
      if (back === null) return false;
      back = { at: back.at, place: back.place + 1 };
      ({ at, place } = back);
    }
  }
  return pattern.slice(at).every(isStar);
}
