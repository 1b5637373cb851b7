import { expect, test } from 'vitest';
import { CreateReservationSchema } from './reservation.ts';

test('a name in a pattern has at most 4 *, and which pattern has more is said', () => {
  const read = (patterns: string[]) => CreateReservationSchema.safeParse({ folder: '/work', patterns });
  expect(read(['a*b*c*d*', '**/*.ts', '**/*_*_*_*/**']).success).toBe(true);
  expect(read(['src/', 'src/*a*a*a*a*b']).error?.issues).toMatchObject([
    { path: ['patterns', 1], message: expect.stringContaining('at most 4') },
  ]);
});
