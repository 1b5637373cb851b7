import { describe, expect, test } from 'vitest';
import type { Numbering } from '../store/engine.ts';
import { continueAbove, UNKNOWN_SPAN } from './continue-above.ts';

const log = (head: number, fields: Partial<Numbering> = {}): Numbering => ({
  generation: 'first',
  head,
  floor: 0,
  skipped: [],
  counters: { activity: head * 10, callbacks: head },
  ...fields,
});
const ask = (backup: Numbering, replaced: Numbering | null, asked: number | null = null) =>
  continueAbove({ backup, replaced, asked, generation: 'new' });

describe('a restored log goes on', () => {
  test('above what the database that is replaced has given out, and remembers what lies between', () => {
    expect(ask(log(300), log(500))).toEqual({
      numbering: {
        generation: 'new',
        skipped: [{ generation: 'first', after: 300, through: 501 }],
        counters: { activity: 5_000, callbacks: 500 },
      },
      next: 502,
      basis: 'replaced',
    });
  });

  test('above a database that was restored from the same log itself, with all that was left out before', () => {
    const skipped = [{ generation: 'first', after: 300, through: 501 }];
    const { next, basis } = ask(log(300), log(900, { generation: 'second', skipped }));
    expect([next, basis]).toEqual([902, 'replaced']);
    const later = ask(log(800, { generation: 'second', skipped }), log(900, { generation: 'second', skipped }));
    expect(later.numbering.skipped).toEqual([...skipped, { generation: 'second', after: 800, through: 901 }]);
  });

  test('far above the backup where there is no database, or one that says nothing of this log', () => {
    const unknown = { next: 300 + UNKNOWN_SPAN + 2, basis: 'unknown' };
    expect(ask(log(300), null)).toMatchObject(unknown);
    expect(ask(log(300), log(500, { generation: 'other' }))).toMatchObject(unknown);
    expect(ask(log(300), null).numbering.counters).toEqual({ activity: 3_000 + UNKNOWN_SPAN, callbacks: 300 + UNKNOWN_SPAN });
  });

  test('above the number a person names, which may not lie below one that was given out', () => {
    expect(ask(log(300), null, 310)).toMatchObject({ next: 312, basis: 'asked' });
    expect(ask(log(300), log(500), 500)).toMatchObject({ next: 502, basis: 'asked' });
    for (const [replaced, asked] of [
      [log(500), 499],
      [null, 299],
    ] as const) {
      expect(() => ask(log(300), replaced, asked)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
    }
  });
});
