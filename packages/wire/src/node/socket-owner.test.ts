import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, win32 } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isSocketOfOwner, pipeOfSecret } from './socket-owner.ts';

let folder = '';
let file = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-socket-owner-'));
  file = join(folder, 'owner-token');
  writeFileSync(file, 'owner_secret\n', { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a named pipe of Windows', () => {
  test('has a name that follows from the secret, and is a whole path that nothing resolves to another', () => {
    const pipe = pipeOfSecret('owner_secret');
    expect(pipe).toMatch(/^\\\\\.\\pipe\\agent-relay-[\da-f]{32}$/u);
    expect(pipeOfSecret('owner_secret\n')).toBe(pipe);
    expect(pipeOfSecret('owner_secres')).not.toBe(pipe);
    expect(win32.resolve(pipe)).toBe(pipe);
  });

  test('is the owner’s only under the name that the owner’s file gives', () => {
    expect(isSocketOfOwner(pipeOfSecret('owner_secret'), file, 'win32')).toBe(true);
    expect(isSocketOfOwner(pipeOfSecret('another'), file, 'win32')).toBe(false);
    expect(isSocketOfOwner('\\\\.\\pipe\\agent-relay-0123456789abcdef', file, 'win32')).toBe(false);
    expect(isSocketOfOwner(pipeOfSecret('owner_secret'), join(folder, 'none'), 'win32')).toBe(false);
  });
});

test('elsewhere a file is no socket, nor is what is not there', () => {
  const plain = join(folder, 'plain');
  writeFileSync(plain, '');
  chmodSync(plain, 0o600);
  expect(isSocketOfOwner(plain, file, 'linux')).toBe(false);
  expect(isSocketOfOwner(join(folder, 'none'), file, 'darwin')).toBe(false);
  expect(isSocketOfOwner(pipeOfSecret('owner_secret'), file, 'linux')).toBe(false);
});
