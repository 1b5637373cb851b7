import { expect, test } from 'vitest';
import { newPairingCode, spelledCode } from './pairing-code.ts';

test('a code has eight signs in two groups, none of which is taken for another', () => {
  let next = 0;
  const all = Array.from({ length: 4 }, () => newPairingCode((below) => next++ % below));
  expect(all).toEqual(['2345-6789', 'CDFG-HJKM', 'NPQR-TVWX', 'Y234-5678']);
});

test('a code is the same however it is typed', () => {
  for (const typed of ['K7QM-4XTP', 'k7qm4xtp', 'k7qm 4xtp', ' K7-QM-4X-TP ']) expect(spelledCode(typed)).toBe('K7QM-4XTP');
  expect(spelledCode('K7QM-4XT')).not.toBe('K7QM-4XTP');
});
