import { readdir } from 'node:fs/promises';
import type { TempHome } from 'agent-relay-testing';
import { commandLineOf, environmentOf } from 'agent-relay-wire/node';

/** The `relay-connect` that serves that home, looked for in `/proc`: it outlives the relay that started it. */
export async function nodeProcessOf({ home }: Pick<TempHome, 'home'>): Promise<number | undefined> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/u.test(name)) continue;
    const [line, environment] = await Promise.all([commandLineOf(Number(name)), environmentOf(Number(name))]);
    if (line?.some((word) => word.endsWith('connect/dist/cli.js')) && environment?.includes(`HOME=${home}`)) return Number(name);
  }
  return undefined;
}
