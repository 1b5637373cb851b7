import type { Random } from '../crash/seeded.ts';

/** One of a list that is not empty. */
export const pick = <Item>(random: Random, items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item; // within its length

export const below = (random: Random, limit: number): number => Math.floor(random() * limit);
