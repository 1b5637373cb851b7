import { Steps, sequencesMeet } from './sequences-meet.ts';

/** One part of a path: a name as it is, or one with `*` and `?` in it; `**` stands for any number of them. */
class Part {
  readonly text: string;
  readonly isPattern: boolean;
  #characters: readonly Character[] | null = null;

  constructor(text: string, isPattern: boolean) {
    this.text = text;
    this.isPattern = isPattern;
  }

  /** Made once: a name may be compared with many. */
  get characters(): readonly Character[] {
    this.#characters ??= [...this.text].map((text) => ({ text, isWild: this.isPattern && (text === '*' || text === '?') }));
    return this.#characters;
  }
}

interface Character {
  readonly text: string;
  readonly isWild: boolean;
}

/** Files below a folder. A pattern that ends in `/` is everything below it. */
export interface FilePatterns {
  readonly folder: string;
  readonly patterns: readonly string[];
}

/** Whether two characters are the same to the file system. */
export type Same = (one: string, other: string) => boolean;

export interface Comparing {
  readonly same?: Same;
  /** How much may be looked at; left out, as much as it takes. */
  readonly steps?: Steps;
}

type Compared = Required<Comparing>;

const compared = ({ same = (one, other) => one === other, steps = new Steps() }: Comparing): Compared => ({ same, steps });

/** A file, taken apart once to be compared with many patterns. */
export class FilePath {
  readonly parts: readonly Part[];

  constructor(file: string) {
    this.parts = literal(file);
  }
}

/** Patterns, taken apart once to be compared with many. What the steps do not suffice for counts as meant. */
export class PatternSet {
  readonly folder: readonly Part[];
  readonly patterns: readonly (readonly Part[])[];

  constructor({ folder, patterns }: FilePatterns) {
    this.folder = literal(folder);
    this.patterns = patterns.map(patternParts);
  }

  /** Whether some file would be meant by both. */
  overlaps(other: PatternSet, comparing: Comparing = {}): boolean {
    const how = compared(comparing);
    if (!how.steps.take(this.folder.length + other.folder.length)) return true;
    if (!isOneInOther(this.folder, other.folder)) return false;
    const [rest, otherRest] = [this.folder.slice(other.folder.length), other.folder.slice(this.folder.length)];
    const others = other.patterns.map((pattern) => [...otherRest, ...pattern]);
    return this.patterns.some((pattern) => {
      const parts = [...rest, ...pattern];
      return others.some((its) => partsMeet(parts, its, how));
    });
  }

  /** Whether they mean this file. */
  holds({ parts }: FilePath, comparing: Comparing = {}): boolean {
    const how = compared(comparing);
    if (!how.steps.take(this.folder.length + 1)) return true;
    if (this.folder.length > parts.length || !isOneInOther(this.folder, parts)) return false;
    const below = parts.slice(this.folder.length);
    return this.patterns.some((pattern) => partsMeet(pattern, below, how));
  }
}

/** As `PatternSet.overlaps`, of patterns that are compared once. */
export const patternsOverlap = (one: FilePatterns, other: FilePatterns, comparing?: Comparing): boolean =>
  new PatternSet(one).overlaps(new PatternSet(other), comparing);

/** As `PatternSet.holds`, of patterns that are compared once. */
export const patternsHold = (patterns: FilePatterns, file: string, comparing?: Comparing): boolean =>
  new PatternSet(patterns).holds(new FilePath(file), comparing);

const namesOf = (path: string): readonly string[] => path.split('/').filter((text) => text !== '');

const literal = (path: string): readonly Part[] => namesOf(path).map((text) => new Part(text, false));

const patternParts = (pattern: string): readonly Part[] =>
  namesOf(pattern.endsWith('/') ? `${pattern}**` : pattern).map((text) => new Part(text, /[*?]/u.test(text)));

const isOneInOther = (one: readonly Part[], other: readonly Part[]): boolean =>
  one.slice(0, other.length).every(({ text }, index) => text === other[index]?.text);

const partsMeet = (one: readonly Part[], other: readonly Part[], { same, steps }: Compared): boolean =>
  sequencesMeet(one, other, {
    isStar: ({ text, isPattern }) => isPattern && text === '**',
    fits: (a, b) => namesMeet(a, b, { same, steps }),
    steps,
  });

function namesMeet(a: Part, b: Part, { same, steps }: Compared): boolean {
  if (!a.isPattern && !b.isPattern) return a.text === b.text;
  return sequencesMeet(a.characters, b.characters, {
    isStar: ({ text, isWild }) => isWild && text === '*',
    fits: (one, other) => same(one.text, other.text) || one.isWild || other.isWild,
    steps,
  });
}
