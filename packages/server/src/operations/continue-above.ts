import { RelayError } from 'agent-relay-protocol';
import type { Counters, NewNumbering, Numbering } from '../store/engine.ts';

/**
 * How many numbers a restored log leaves out where nobody can say how many were given out since the backup: months of a busy relay, and
 * still numbers that people can read.
 */
export const UNKNOWN_SPAN = 1_000_000;

export interface Continuation {
  readonly numbering: NewNumbering;
  /** The first number that the restored relay gives out. */
  readonly next: number;
  /** Whether the database that was there said it, the person did, or nobody knew. */
  readonly basis: 'replaced' | 'asked' | 'unknown';
}

export interface ContinuationQuestion {
  readonly backup: Numbering;
  /** Of the database that is replaced; null when there is none, or none that can be read. */
  readonly replaced: Numbering | null;
  /** The highest number that was given out, as the person knows it. */
  readonly asked: number | null;
  readonly generation: string;
}

/**
 * Where a restored log goes on, so that no number means two things. The position after the last number that was given out stays empty:
 * readers of the restored log begin there, and none of the old log can stand there.
 * @throws RelayError `validation_failed` when `asked` lies below a number that was given out.
 */
export function continueAbove({ backup, replaced, asked, generation }: ContinuationQuestion): Continuation {
  const same = replaced !== null && isOfSameLog(backup, replaced) ? replaced : null;
  const known = Math.max(backup.head, same?.head ?? 0);
  if (asked !== null && asked < known) {
    const issues = [{ path: 'continueAbove', message: `must be at least ${known}: that number has been given out` }];
    throw new RelayError('validation_failed', `Numbers up to ${known} have been given out, so ${asked} is too low`, { issues });
  }
  const last = asked ?? (same ? known : known + UNKNOWN_SPAN);
  const skipped = { generation: backup.generation, after: backup.head, through: last + 1 };
  return {
    numbering: { generation, skipped: [...backup.skipped, skipped], counters: countersAbove(backup, same) },
    next: last + 2,
    basis: asked === null ? (same ? 'replaced' : 'unknown') : 'asked',
  };
}

/** Whether one holds what followed the other: only then do its numbers say which have been given out. */
const isOfSameLog = (backup: Numbering, replaced: Numbering): boolean =>
  replaced.generation === backup.generation || replaced.skipped.some(({ generation }) => generation === backup.generation);

function countersAbove(backup: Numbering, same: Numbering | null): Counters {
  const above = (name: keyof Counters) =>
    same ? Math.max(backup.counters[name], same.counters[name]) : backup.counters[name] + UNKNOWN_SPAN;
  return { activity: above('activity'), callbacks: above('callbacks') };
}
