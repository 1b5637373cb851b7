import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** What is reachable in this process, once everything else is gone. */
export function usedMiB(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / (1 << 20);
}

/** As `usedMiB`, once it is below a limit, or after a second: what is let go of in a later turn is not held. */
export async function settledMiB(limitMiB: number): Promise<number> {
  for (let look = 0; ; look += 1) {
    const used = usedMiB();
    if (used < limitMiB || look === 20) return used;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
