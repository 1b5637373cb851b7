import { sequencesMeet } from './sequences-meet.ts';

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

const isSame: Same = (one, other) => one === other;

/** Whether some file would be meant by both. */
export function patternsOverlap(one: FilePatterns, other: FilePatterns, same = isSame): boolean {
  const [folder, otherFolder] = [namesOf(one.folder), namesOf(other.folder)];
  if (!isOneInOther(folder, otherFolder)) return false;
  const [rest, otherRest] = [folder.slice(otherFolder.length), otherFolder.slice(folder.length)];
  const others = other.patterns.map((pattern) => [...literal(otherRest), ...patternParts(pattern)]);
  return one.patterns.some((pattern) => {
    const parts = [...literal(rest), ...patternParts(pattern)];
    return others.some((its) => partsMeet(parts, its, same));
  });
}

/** Whether they mean this file. */
export function patternsHold({ folder, patterns }: FilePatterns, file: string, same = isSame): boolean {
  const [outer, names] = [namesOf(folder), namesOf(file)];
  if (outer.length > names.length || !isOneInOther(outer, names)) return false;
  const below = literal(names.slice(outer.length));
  return patterns.some((pattern) => partsMeet(patternParts(pattern), below, same));
}

const namesOf = (path: string): readonly string[] => path.split('/').filter((text) => text !== '');

const literal = (names: readonly string[]): readonly Part[] => names.map((text) => new Part(text, false));

const patternParts = (pattern: string): readonly Part[] =>
  namesOf(pattern.endsWith('/') ? `${pattern}**` : pattern).map((text) => new Part(text, /[*?]/u.test(text)));

const isOneInOther = (one: readonly string[], other: readonly string[]): boolean =>
  one.slice(0, other.length).every((name, index) => name === other[index]);

const partsMeet = (one: readonly Part[], other: readonly Part[], same: Same): boolean =>
  sequencesMeet(one, other, { isStar: ({ text, isPattern }) => isPattern && text === '**', fits: (a, b) => namesMeet(a, b, same) });

function namesMeet(a: Part, b: Part, same: Same): boolean {
  if (!a.isPattern && !b.isPattern) return a.text === b.text;
  return sequencesMeet(a.characters, b.characters, {
    isStar: ({ text, isWild }) => isWild && text === '*',
    fits: (one, other) => same(one.text, other.text) || one.isWild || other.isWild,
  });
}
