import type { PendingApproval } from './approval.ts';
import { FilePath, PatternSet, patternsOverlap, type Same } from './file-pattern.ts';
import { plainPath } from './plain-path.ts';
import type { Reservation } from './reservation.ts';
import { Steps } from './sequences-meet.ts';

/** So many steps one question may take: some tenths of a second, wherever it runs. What they do not suffice for counts as held. */
export const MOST_RESERVATION_STEPS = 2_000_000;

/**
 * What somebody is about to change. `kind`: of the tool; what an `execute` writes is told by patterns, and of an `edit` whose files are not known any file
 * may be meant. `files`: as `touchedFiles` names them; absent where that cannot be told, empty where nothing is changed. `cwd`: the folder it is done in,
 * absolute; absent where it is not known, which means any.
 */
export type ReservationQuestion = Pick<PendingApproval, 'kind' | 'files' | 'cwd'>;

/** Whether it counts at `now`, in Unix milliseconds: nobody has ended it, and its lease runs on. */
export const isReservationHeld = ({ ended, leaseExpiresAt }: Reservation, now: number): boolean => ended === null && leaseExpiresAt > now;

type Asked = FilePath | PatternSet;

/** What somebody asks to change: files, or what a command writes. */
export class FileQuestion {
  readonly asked: readonly Asked[];
  readonly #comparing: { readonly same?: Same; readonly steps: Steps };

  constructor(kind: string, files: readonly string[], { same }: { readonly same?: Same } = {}) {
    const written = (file: string) => new PatternSet({ folder: '/', patterns: [writtenPattern(file)] });
    this.asked = files.map((file) => (kind === 'execute' ? written(file) : new FilePath(file)));
    this.#comparing = { ...(same && { same }), steps: new Steps(MOST_RESERVATION_STEPS) };
  }

  /** Whether what was found so far is so, and not only what may be. */
  get isDecided(): boolean {
    return !this.#comparing.steps.areSpent;
  }

  mayBeHeldBy(held: PatternSet, asked: Asked): boolean {
    return asked instanceof FilePath ? held.holds(asked, this.#comparing) : held.overlaps(asked, this.#comparing);
  }
}

/** No name has this character. */
const OTHER_FOLDERS = '\0';

/** What a command writes, as a pattern below `/` that means no less: `touchedFiles` says how that is named. */
export function writtenPattern(written: string): string {
  if (written === '/') return '**';
  const classless = replaceClosed(written.slice(1), ']', /\[[^\]]*\]/gu, () => '?');
  // Alternatives of alternatives: from the inside out.
  let [text, before] = [classless, ''];
  for (let depth = 0; depth < 4 && text !== before; depth += 1) {
    before = text;
    text = text.replaceAll(/\{[^{}]*\}/gu, (group) => (group.includes('/') || group.includes(OTHER_FOLDERS) ? OTHER_FOLDERS : '*'));
  }
  // Of some of them other folders are meant.
  const names = text.split('/').map((name) => (name.includes(OTHER_FOLDERS) ? '**' : name));
  return names.join('/');
}

/** What is not closed stays, and is looked through once. */
function replaceClosed(text: string, close: string, group: RegExp, to: () => string): string {
  const end = text.lastIndexOf(close) + 1;
  return text.slice(0, end).replaceAll(group, to) + text.slice(end);
}

/** Who keeps somebody from files, and how that is known: `named` are held, `unnamed` may be, and `unclear` is what was too much to be compared. */
export interface Keeping {
  readonly holder: Reservation;
  readonly because: 'named' | 'unnamed' | 'unclear';
}

/** What whoever is kept from files is told. */
export function keptSentence({ holder: { agentId, patterns, folder, leaseExpiresAt }, because }: Keeping): string {
  const until = new Date(leaseExpiresAt).toISOString();
  const theirs = `${agentId} has reserved ${patterns.join(', ')} in ${folder} until ${until}`;
  switch (because) {
    case 'named':
      return `${agentId} has reserved these files until ${until}: ask it, or work on others`;
    case 'unnamed':
      return `${theirs}, and this does not tell which files it changes: name them, or ask it`;
    case 'unclear':
      return `${theirs}, and this names too much to be compared with that: name fewer files at once, or ask it`;
  }
}

/** Whether it may hold a file below this folder, or below whatever folder where that is not known. */
export const mayHoldBelow = (reservation: Reservation, cwd: string | undefined): boolean =>
  cwd === undefined || !cwd.startsWith('/') || patternsOverlap(reservation, { folder: plainPath(cwd), patterns: ['**'] });

/**
 * Who of these keeps somebody from what they are about to change; null where nobody does. Gives way after each comparison, for whoever has something
 * else to do meanwhile.
 */
export function* keepingAmong(others: readonly Reservation[], { kind, files, cwd }: ReservationQuestion): Generator<void, Keeping | null> {
  if (files === undefined) {
    const holder = kind === 'edit' ? others.find((each) => mayHoldBelow(each, cwd)) : undefined;
    return holder ? { holder, because: 'unnamed' } : null;
  }
  const question = new FileQuestion(kind, files);
  for (const holder of others) {
    const held = new PatternSet(holder);
    for (const asked of question.asked) {
      if (question.mayBeHeldBy(held, asked)) return { holder, because: question.isDecided ? 'named' : 'unclear' };
      yield;
    }
  }
  return null;
}
