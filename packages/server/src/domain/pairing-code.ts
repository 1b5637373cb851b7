/** Digits and letters that are told apart in any hand and on any screen, without vowels. */
const ALPHABET = '23456789CDFGHJKMNPQRTVWXY';
const LENGTH = 8;

/** A new code, as people see it; `pick` answers a whole number from 0 to below its argument. */
export function newPairingCode(pick: (below: number) => number): string {
  return grouped(Array.from({ length: LENGTH }, () => ALPHABET.charAt(pick(ALPHABET.length))).join(''));
}

/** A code as somebody typed it, in its one spelling. */
export const spelledCode = (typed: string): string => grouped(typed.replaceAll(/[\s-]/gu, '').toUpperCase());

const grouped = (code: string): string => `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
