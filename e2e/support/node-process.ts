import { readdir, readFile } from 'node:fs/promises';
import type { TempHome } from 'agent-relay-testing';

/** The `relay-connect` that serves that home, looked for in `/proc`: it outlives the relay that started it. */
export async function nodeProcessOf({ home }: Pick<TempHome, 'home'>): Promise<number | undefined> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/u.test(name)) continue;
    const [line, environment] = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '')),
    );
    if (line?.includes('connect/dist/cli.js') && environment?.split('\0').includes(`HOME=${home}`)) return Number(name);
  }
  return undefined;
}
