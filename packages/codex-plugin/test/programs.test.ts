import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import { expect, onTestFinished, test } from 'vitest';
import { programBuild } from '../../../tsup.base.ts';

const inPackage = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The texts of a program and of all that it loads before it runs, by name; what is none of its own files is empty. */
function loadedWith(folder: string, name: string, loaded: Record<string, string> = {}): Record<string, string> {
  if (name in loaded) return loaded;
  const text = name.startsWith('./') ? readFileSync(join(folder, name), 'utf8') : '';
  loaded[name] = text;
  for (const [, next = ''] of text.matchAll(/^(?:import|export)\b[^'"]*["']([^"']+)["'];?$/gmu)) loadedWith(folder, next, loaded);
  return loaded;
}

test('what Codex waits for at each use of a tool is small, and loads nothing but Node', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'codex-programs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = programBuild({ hook: inPackage('src/hook/hook-program.ts') });
  await build({ ...program, config: false, tsconfig: inPackage('tsconfig.json'), outDir: folder, silent: true });
  const loaded = loadedWith(folder, './hook.js');
  const names = Object.keys(loaded).filter((name) => !name.startsWith('./'));
  expect(names.map((name) => name.replace(/^node:/u, '')).filter((name) => !builtinModules.includes(name))).toEqual([]);
  expect(names).not.toEqual([]);
  expect(Object.values(loaded).join('').length).toBeLessThan(40_000);
});
