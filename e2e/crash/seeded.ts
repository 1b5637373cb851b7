/** Numbers from 0 to below 1, the same in every run. */
export type Random = () => number;

/** Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One of `choices`, each as often as its weight says. */
export function choose<Choice extends string>(random: Random, choices: Readonly<Record<Choice, number>>): Choice {
  const entries = Object.entries(choices) as [Choice, number][]; // the keys of the record are the choices
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [choice, weight] of entries) {
    left -= weight;
    if (left < 0) return choice;
  }
  throw new Error('There is nothing to choose from');
}
