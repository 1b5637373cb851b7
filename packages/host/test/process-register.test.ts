import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from 'agent-relay-wire';
import { expect, test } from 'vitest';
import { ProcessRegister } from '../src/process-register.ts';

const gone = { pid: 2 ** 30, startedAt: 'long ago' };
const entry = { sessionId: 'registered', purpose: 'claude in the background', identity: gone, isShared: false };

test('what an earlier run left is ended by its provider, and nothing in the file is run or keeps a machine from starting', async () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'process-register-'));
  const file = join(stateDir, 'processes.json');
  const touched = join(stateDir, 'touched');
  const endCommand = ['/bin/sh', '-c', `touch ${touched}`];
  const entries = [
    { ...entry, job: { provider: 'claude', id: 'abc' } },
    { ...entry, endCommand },
    ...[null, 7, ['x'], { provider: 'claude', id: '--settings={}' }, { provider: 'claude', id: 7 }].map((job) => ({ ...entry, job })),
    ...[null, 7].map((broken) => ({ ...entry, endCommand: broken })),
    ...[null, 7, {}, { ...entry, identity: { pid: '7' } }],
    // As where a container starts anew, and numbers its processes as before.
    { ...entry, identity: { pid: process.pid, startedAt: 'before' } },
  ];
  writeFileSync(file, JSON.stringify(entries));
  const ended: string[][] = [];
  const told: string[] = [];
  const log = { ...silentLog, error: (message: string) => void told.push(message) };
  const register = new ProcessRegister(stateDir, log, async (...job) => void ended.push(job));
  await register.reap();
  expect(ended).toEqual([['claude', 'abc']]);
  expect(told).toEqual(['the register of processes is damaged: what an earlier run left may live on']);
  expect(existsSync(touched)).toBe(false);
  register.add(
    's2',
    { pid: gone.pid, startToken: gone.startedAt, purpose: 'claude', unmarked: true, shared: false, jobId: 'def' },
    'claude',
  );
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject([{ sessionId: 's2', job: { provider: 'claude', id: 'def' } }]);
  rmSync(stateDir, { recursive: true });
});

test.each([
  { says: null, isShared: false },
  { says: ['AGENT_RELAY_SESSION_ID=s1'], isShared: false },
  { says: ['AGENT_RELAY_SESSION_ID=s2'], isShared: true },
  { says: [], isShared: true },
])('a process whose environment is $says, started for s1, is shared: $isShared', ({ says, isShared }) => {
  const stateDir = mkdtempSync(join(tmpdir(), 'process-register-'));
  const register = new ProcessRegister(
    stateDir,
    silentLog,
    async () => {},
    () => says,
  );
  register.add('s1', { pid: gone.pid, startToken: gone.startedAt, purpose: 'acme' }, 'acme');
  expect(JSON.parse(readFileSync(join(stateDir, 'processes.json'), 'utf8'))).toMatchObject([{ isShared }]);
  rmSync(stateDir, { recursive: true });
});
