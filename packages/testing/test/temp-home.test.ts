import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempHome } from '../src/agents/temp-home.ts';

test('what Claude knows of its folders is whole for whoever reads it, however many are made at once', async () => {
  await using home = await tempHome();
  const path = join(home.home, '.claude.json');
  const before = await readFile(path, 'utf8');
  await using reader = await open(path);
  const folders = await Promise.all(Array.from({ length: 20 }, (_, index) => home.makeFolder(`folder-${index}`)));
  expect(await reader.readFile('utf8')).toBe(before);
  const { projects } = JSON.parse(await readFile(path, 'utf8')) as { readonly projects: object };
  expect(Object.keys(projects).toSorted()).toEqual([home.workFolder, ...folders].toSorted());
});
