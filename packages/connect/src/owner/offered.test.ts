import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileOwner } from './owner.ts';

test('a provider that the machine does not offer names those that it does', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'owner-'));
  try {
    const path = join(folder, 'node.yaml');
    await writeFile(path, 'providers: [claude, acme]\n', { mode: 0o600 });
    const { offered } = await new FileOwner(path).terms();
    const [claude, codex] = offered(['claude', 'codex'].map((id) => ({ id, available: true, version: '1', reason: null })));
    expect(claude?.available).toBe(true);
    expect(codex).toMatchObject({
      available: false,
      reason: `The owner of this machine does not allow codex: ${path} line 1 (providers); allowed: claude, acme`,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
