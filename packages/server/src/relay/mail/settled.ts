import type { MovedCopy } from '../../store/store.ts';

/** Those of the moved copies that wait no more. */
export const settledOf = (moved: readonly MovedCopy<boolean>[]): number[] =>
  moved.flatMap(({ messageId, answer }) => (answer ? [messageId] : []));
