import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processIdentity, spawnProcess } from 'agent-relay-wire/node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockState } from '../src/state-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'state-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (holder: unknown) => writeFileSync(join(folder, 'lock.json'), typeof holder === 'string' ? holder : JSON.stringify(holder));

it('a folder that a running process holds is refused, naming it', async () => {
  await using other = await spawnProcess({ command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'] });
  write(await processIdentity(other.pid));
  await expect(lockState(folder)).rejects.toMatchObject({ code: 'busy', message: expect.stringContaining(`process ${other.pid}`) });
});

it.each([
  ['of a process that is gone', { pid: 2 ** 22 - 1, startedAt: 'x' }],
  ['of a pid that belongs to another program now', { pid: process.ppid, startedAt: 'an older one' }],
  ['that holds nothing readable', '{'],
])('a lock %s is taken over', async (_title, holder) => {
  write(holder);
  const lock = await lockState(folder);
  lock.release();
  expect(readdirSync(folder)).toEqual([]);
});

it('released, it is free for the next', async () => {
  (await lockState(folder)).release();
  (await lockState(folder)).release();
  expect(readdirSync(folder)).toEqual([]);
});
