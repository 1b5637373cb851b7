import { readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { expect, test } from 'vitest';
import { bundledPrograms } from './bundled-programs.ts';

const importedBy = (path: string): readonly string[] =>
  [...readFileSync(path, 'utf8').matchAll(/\b(?:from|import)\s*["']([^"']+)["']/gu)].map(([, name = '']) => name.replace(/^node:/u, ''));

test('what is started for every hook is small, and loads nothing but Node', async () => {
  const { hook } = await bundledPrograms();
  const imported = importedBy(hook);
  expect(imported).toContain('net');
  expect(imported.filter((name) => !builtinModules.includes(name))).toEqual([]);
  expect(statSync(hook).size).toBeLessThan(20_000);
});
