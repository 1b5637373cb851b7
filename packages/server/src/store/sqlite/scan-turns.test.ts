import { expect, test } from 'vitest';
import { ScanTurns } from './scan-turns.ts';

test('however many walks a caller begins, another waits for one stretch of them', async () => {
  const turns = new ScanTurns();
  const served: string[] = [];
  const walk = async (caller: string, name: string, stretches: number) => {
    for (let stretch = 0; stretch < stretches; stretch += 1) {
      await turns.next(caller);
      served.push(name);
    }
  };
  await Promise.all([...['m1', 'm2', 'm3', 'm4'].map((name) => walk('many', name, 2)), walk('one', 'o', 3)]);
  expect(served).toEqual(['m1', 'o', 'm2', 'o', 'm3', 'o', 'm4', 'm1', 'm2', 'm3', 'm4']);
});
