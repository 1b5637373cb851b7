import { expect, test } from 'vitest';
import { CheckReservationsSchema, CreateReservationSchema } from './reservation.ts';

test('a name in a pattern has at most 4 *, and which pattern has more is said', () => {
  const read = (patterns: string[]) => CreateReservationSchema.safeParse({ folder: '/work', patterns });
  expect(read(['a*b*c*d*', '**/*.ts', '**/*_*_*_*/**']).success).toBe(true);
  expect(read(['src/', 'src/*a*a*a*a*b']).error?.issues).toMatchObject([
    { path: ['patterns', 1], message: expect.stringContaining('at most 4') },
  ]);
});

test('what is asked about may be called anything, and is so long at most', () => {
  const read = (files: string[]) => CheckReservationsSchema.safeParse({ agentId: 'Ann', kind: 'execute', files });
  expect(read(['/two\nlines', '/two\u2028lines', `/${'n'.repeat(16_000)}`, ...Array<string>(2_000).fill('/a')]).success).toBe(true);
  expect(read(Array<string>(9).fill(`/${'n'.repeat(4_000)}`)).error?.issues).toMatchObject([{ path: ['files'] }]);
});
