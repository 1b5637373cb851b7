import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findCodex } from '../src/app-server/native-binary.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'find-codex-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

const program = async (path: string, text = '') => {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
};

async function npmInstall(): Promise<{ bin: string; native: string }> {
  const openai = join(folder, 'lib', 'node_modules', '@openai');
  const wrapper = await program(join(openai, 'codex', 'bin', 'codex.js'), '#!/usr/bin/env node\n');
  await writeFile(join(openai, 'codex', 'package.json'), '{"name":"@openai/codex"}');
  const native = await program(join(openai, 'codex-linux-x64', 'vendor', 'x86_64-unknown-linux-musl', 'bin', 'codex'));
  await writeFile(join(openai, 'codex-linux-x64', 'package.json'), '{"name":"@openai/codex"}');
  await mkdir(join(folder, 'bin'));
  await symlink(wrapper, join(folder, 'bin', 'codex'));
  return { bin: join(folder, 'bin'), native };
}

test("behind npm's wrapper the native binary is found", async () => {
  const { bin, native } = await npmInstall();
  expect(await findCodex({ env: { PATH: bin }, platform: 'linux', arch: 'x64' })).toBe(native);
});

test('where its platform package is missing the wrapper itself is used', async () => {
  const { bin } = await npmInstall();
  expect(await findCodex({ env: { PATH: bin }, platform: 'linux', arch: 'arm64' })).toBe(join(bin, 'codex'));
});

test('a program that is no script is used as it is', async () => {
  const native = await program(join(folder, 'codex'));
  expect(await findCodex({ command: native, env: {} })).toBe(native);
});

test('none is found where none is', async () => {
  expect(await findCodex({ env: { PATH: folder } })).toBeUndefined();
});
