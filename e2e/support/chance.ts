import { setTimeout as pause } from 'node:timers/promises';

/** Numbers from 0 to 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** What may break, and how often of all: the shares add up to 1. */
export type Faults<Name extends string> = Readonly<
  Record<Name, { readonly share: number; readonly happen: () => Promise<unknown> | unknown }>
>;

/** One fault after another, by chance, until the signal aborts; answers how many of each there were. */
export async function breakThings<Name extends string>(
  faults: Faults<Name>,
  random: () => number,
  signal: AbortSignal,
): Promise<Record<Name, number>> {
  const names = Object.keys(faults) as Name[]; // its own keys
  const counts = Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>; // one for each
  while (!signal.aborted) {
    await pause(300 + random() * 2_500);
    const chance = random();
    let below = 0;
    const name = names.find((each) => {
      below += faults[each].share;
      return chance < below;
    });
    if (name === undefined) continue;
    counts[name] += 1;
    await faults[name].happen();
  }
  return counts;
}
