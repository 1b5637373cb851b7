import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { engine } from '../engine.ts';
import { withHalfFile } from './half-file.ts';

/** Above what any system gives out. */
const NOBODY = 2 ** 30;

test('what a process that was killed left of a half file goes, with all that its engine keeps beside it, and nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'half-'));
  const endings = ['', ...engine.companions];
  expect(endings).toEqual(['', '-journal', '-wal', '-shm']);
  const left = endings.map((ending) => `relay.db.${NOBODY}.part${ending}`);
  const others = ['relay.db', `relay.db.${NOBODY}.part-of-mine`, `relay.db.${process.ppid}.part-wal`, `other.db.${NOBODY}.part`];
  for (const name of [...left, ...others]) writeFileSync(join(folder, name), '');
  const during = await withHalfFile(join(folder, 'relay.db'), async (half) => {
    for (const ending of engine.companions) writeFileSync(`${half}${ending}`, '');
    return readdirSync(folder);
  });
  expect(during.sort()).toEqual([...others, ...endings.map((ending) => `relay.db.${process.pid}.part${ending}`)].sort());
  expect(readdirSync(folder).sort()).toEqual([...others].sort());
  rmSync(folder, { recursive: true });
});
