/** One part of a path: a name as it is, or one with `*` and `?` in it; `**` stands for any number of them. */
interface Part {
  readonly text: string;
  readonly isPattern: boolean;
}

const partsOf = (path: string, isPattern: boolean): readonly Part[] =>
  path
    .split('/')
    .filter((text) => text !== '')
    .map((text) => ({ text, isPattern: isPattern && /[*?]/u.test(text) }));

/** Files below a folder. A name that ends in `/` is everything below it. */
export interface FilePattern {
  readonly folder: string;
  readonly pattern: string;
}

const whole = ({ folder, pattern }: FilePattern): readonly Part[] => [
  ...partsOf(folder, false),
  ...partsOf(pattern.endsWith('/') ? `${pattern}**` : pattern, true),
];

/** Whether some file would be meant by both. */
export const patternsOverlap = (one: FilePattern, other: FilePattern): boolean => partsMeet(whole(one), whole(other));

/** Whether it means this file. */
export const patternHolds = (pattern: FilePattern, file: string): boolean => partsMeet(whole(pattern), partsOf(file, false));

const isAnyDepth = (part: Part | undefined): boolean => part?.isPattern === true && part.text === '**';

function partsMeet(one: readonly Part[], other: readonly Part[]): boolean {
  return meets(one.length, other.length, (i, j, next) => {
    const [a, b] = [one[i], other[j]];
    if (isAnyDepth(a)) return next(i + 1, j) || (b !== undefined && next(i, j + 1));
    if (isAnyDepth(b)) return next(i, j + 1) || (a !== undefined && next(i + 1, j));
    return a !== undefined && b !== undefined && namesMeet(a, b) && next(i + 1, j + 1);
  });
}

function namesMeet(a: Part, b: Part): boolean {
  if (!a.isPattern && !b.isPattern) return a.text === b.text;
  const [one, other] = [[...a.text], [...b.text]];
  const isStar = (part: Part, character: string | undefined) => part.isPattern && character === '*';
  const isAny = (part: Part, character: string | undefined) => part.isPattern && character === '?';
  return meets(one.length, other.length, (i, j, next) => {
    const [x, y] = [one[i], other[j]];
    if (isStar(a, x)) return next(i + 1, j) || (y !== undefined && next(i, j + 1));
    if (isStar(b, y)) return next(i, j + 1) || (x !== undefined && next(i + 1, j));
    return x !== undefined && y !== undefined && (x === y || isAny(a, x) || isAny(b, y)) && next(i + 1, j + 1);
  });
}

/** Whether two sequences can be walked to both their ends; each pair of places is looked at once. */
function meets(
  length: number,
  otherLength: number,
  step: (i: number, j: number, next: (i: number, j: number) => boolean) => boolean,
): boolean {
  const known = new Map<number, boolean>();
  const at = (i: number, j: number): boolean => {
    if (i === length && j === otherLength) return true;
    const key = i * (otherLength + 1) + j;
    const before = known.get(key);
    if (before !== undefined) return before;
    known.set(key, false);
    const found = step(i, j, at);
    known.set(key, found);
    return found;
  };
  return at(0, 0);
}
