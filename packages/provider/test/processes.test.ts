import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processIdentity, spawnProcess } from 'agent-relay-wire/node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ownedProcess, processEnd } from '../src/kit/owned-process.ts';
import { detectProgram, findProgram, type VendorProgram } from '../src/kit/vendor-program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'provider-kit-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const env = { PATH: '/usr/bin:/bin' };
const parrot: VendorProgram = { name: 'Parrot', command: 'parrot', install: 'with `npm install -g parrot`' };
const shell = (script: string) => spawnProcess({ command: '/bin/sh', args: ['-c', script], env });

/** A program in the folder, which is first on its `PATH`. */
const installed = (script: string): Record<string, string> => {
  writeFileSync(join(folder, 'parrot'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { PATH: `${folder}:${env.PATH}` };
};

describe('a process of ours', () => {
  test('is written down with its mark and what it is for', async () => {
    await using child = await shell('sleep 60');
    const { pid, startedAt, treeId } = child.identity;
    expect(ownedProcess(child, { purpose: 'parrot' })).toEqual({ pid, startToken: startedAt, treeId, purpose: 'parrot' });
  });

  test.each([
    ['exit 0', { reason: 'exited', detail: 'Parrot exited with code 0', exitCode: 0 }],
    ['echo no licence >&2; exit 3', { reason: 'crashed', detail: 'Parrot exited with code 3: no licence', exitCode: 3 }],
    ['kill -9 $$', { reason: 'crashed', detail: 'Parrot was ended by SIGKILL' }],
    ['exec >&-; echo bye >&2; exec sleep 60', { reason: 'crashed', detail: 'Parrot closed its output: bye' }],
  ])('says why it ended: %s', async (script, end) => {
    expect(await processEnd(await shell(script), 'Parrot', 500)).toEqual(end);
  });

  test('leaves nothing behind that it started', async () => {
    const child = await shell('sleep 60 >/dev/null 2>&1 & echo $!');
    let printed = '';
    for await (const chunk of child.stdout) printed += String(chunk);
    await processEnd(child, 'Parrot');
    expect(await processIdentity(Number(printed))).toBeUndefined();
  });
});

describe("a vendor's program", () => {
  test('is found, and tells its version', async () => {
    const path = installed('echo "parrot 1.2.0-beta (bird)"');
    expect(await findProgram(parrot, path)).toBe(join(folder, 'parrot'));
    expect(await detectProgram(parrot, path)).toEqual({ available: true, version: '1.2.0-beta', command: join(folder, 'parrot') });
  });

  test('that is missing is told with how to install it, and where it was looked for', async () => {
    const reason = 'Parrot is not installed on this machine; install it with `npm install -g parrot`';
    expect(await detectProgram(parrot, env)).toEqual({ available: false, reason });
    await expect(findProgram(parrot, env)).rejects.toMatchObject({ code: 'provider_unavailable', message: reason });
    expect(await detectProgram({ ...parrot, command: '/opt/parrot' }, env)).toEqual({
      available: false,
      reason: 'Parrot is not installed at /opt/parrot; install it with `npm install -g parrot`, or name the right file',
    });
  });

  test.each([
    ['in its own words', 'echo "no native binary" >&2; exit 1', 'no native binary'],
    ['that is something else', 'echo hello; echo more', 'it printed "hello" and no version'],
    ['that says nothing', 'exit 0', 'it printed no version'],
    ['that does not answer in time', 'sleep 60', 'The answer of parrot --version took too long'],
  ])('does not run, and that is told: %s', async (_what, script, why) => {
    expect(await detectProgram({ ...parrot, versionTimeoutMs: 1_000 }, installed(script))).toEqual({
      available: false,
      reason: `Parrot at ${join(folder, 'parrot')} does not run (${why}); install it again with \`npm install -g parrot\``,
    });
  });

  test('is looked for as its vendor says', async () => {
    const find = async (command: string) => `/opt/${command}`;
    expect(await findProgram({ ...parrot, find }, env)).toBe('/opt/parrot');
  });
});
