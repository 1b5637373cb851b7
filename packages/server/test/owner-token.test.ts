import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readOwnerToken } from 'agent-relay-wire/node';
import { afterAll, expect, test } from 'vitest';
import { ensureOwnerToken } from '../src/owner-token.ts';

const folder = mkdtempSync(join(tmpdir(), 'agent-relay-owner-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the credential is made once, for its user only, and a file opened to others is closed again', () => {
  const path = join(folder, 'state', 'relay.db.owner-token');
  expect(readOwnerToken(path)).toBeNull();
  const token = ensureOwnerToken(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(token).toMatch(/^owner_[\w-]{43}$/u);
  chmodSync(path, 0o644);
  expect([ensureOwnerToken(path), readOwnerToken(path)]).toEqual([token, token]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
