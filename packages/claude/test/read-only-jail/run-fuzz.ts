import fc from 'fast-check';
import { anyCommand } from './command-arbitrary.ts';
import { Jail } from './jail.ts';

export interface FuzzOptions {
  readonly commands: number;
  readonly seed: number;
  readonly isReadOnly: (command: string) => boolean;
  /** Stops after so many guilty ones. Default 10. */
  readonly most?: number;
  readonly onProgress?: (done: number) => void;
}

export interface FuzzReport {
  readonly allowed: number;
  readonly isJailed: boolean;
  /** What was allowed and changed something, or tried to. */
  readonly guilty: readonly { readonly command: string; readonly did: readonly string[] }[];
}

const batchSize = 400;

/** Judges commands, runs those that are said to be read-only, and looks whether anything has changed. */
export async function fuzzReadOnly({ commands, seed, isReadOnly, most = 10, onProgress }: FuzzOptions): Promise<FuzzReport> {
  using jail = new Jail();
  const guilty: { command: string; did: readonly string[] }[] = [];
  let allowed = 0;
  for (let done = 0; done < commands && guilty.length < most; done += batchSize) {
    const batch = fc.sample(anyCommand, { seed: seed + done, numRuns: Math.min(batchSize, commands - done) }).filter(isReadOnly);
    allowed += batch.length;
    for (const found of await guiltyOf(jail, batch)) guilty.push(found);
    onProgress?.(done + batchSize);
  }
  return { allowed, isJailed: jail.hasNamespaces, guilty };
}

async function guiltyOf(jail: Jail, batch: readonly string[]): Promise<{ command: string; did: readonly string[] }[]> {
  if (batch.length === 0) return [];
  const { changed, refusedWrites } = await jail.run(batch);
  const did = [...changed, ...refusedWrites];
  if (did.length === 0) return [];
  jail.reset();
  if (batch.length === 1) return batch.map((command) => ({ command, did }));
  const half = Math.ceil(batch.length / 2);
  const halves = [...(await guiltyOf(jail, batch.slice(0, half))), ...(await guiltyOf(jail, batch.slice(half)))];
  return halves.length > 0 ? halves : [{ command: batch.join('\n'), did }];
}
