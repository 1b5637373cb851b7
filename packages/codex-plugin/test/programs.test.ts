import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadedBy } from 'agent-relay-testing';
import { build } from 'tsup';
import { expect, onTestFinished, test } from 'vitest';
import { programBuild } from '../../../tsup.base.ts';

const inPackage = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

test('what Codex waits for at each use of a tool is small, and loads nothing but Node', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'codex-programs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const program = programBuild({ hook: inPackage('src/hook/hook-program.ts') });
  await build({ ...program, config: false, tsconfig: inPackage('../../tsconfig.base.json'), outDir: folder, silent: true });
  const { length, builtins, others } = loadedBy(join(folder, 'hook.js'));
  expect(builtins).not.toEqual([]);
  expect(others).toEqual([]);
  expect(length).toBeLessThan(40_000);
});
