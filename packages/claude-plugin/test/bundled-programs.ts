import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { programBuilds } from '../program-builds.ts';

export interface BundledPrograms {
  readonly sidecar: string;
  readonly hook: string;
}

let made: Promise<BundledPrograms> | null = null;

/** The plugin's programs as they ship, made once for all tests of a process: from source each start loads everything anew. */
export function bundledPrograms(): Promise<BundledPrograms> {
  made ??= bundle();
  return made;
}

const inPackage = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

async function bundle(): Promise<BundledPrograms> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-plugin-programs-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const { entry, ...program } of programBuilds.filter(({ entry }) => !('cli' in entry))) {
    const sources = Object.fromEntries(Object.entries(entry).map(([name, path]) => [name, inPackage(path)]));
    const tsconfig = inPackage(program.tsconfig);
    await build({ ...program, config: false, entry: sources, tsconfig, outDir: folder, silent: true });
  }
  return { sidecar: join(folder, 'sidecar.js'), hook: join(folder, 'hook.js') };
}
