import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isOverruled } from './gemini-policy.ts';

test('the policies of an administrator overrule ours, and an empty or missing folder does not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'policies-'));
  try {
    expect([await isOverruled(folder), await isOverruled(join(folder, 'none'))]).toEqual([false, false]);
    mkdirSync(join(folder, 'policies'));
    writeFileSync(join(folder, 'policies', 'company.toml'), '');
    expect(await isOverruled(join(folder, 'policies'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
