import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { connect, later, tempFolder } from './bridge-world.ts';

const folder = fileURLToPath(new URL('..', import.meta.url));

test('the program in the README serves clients until it is interrupted', async () => {
  const readme = await readFile(join(folder, 'README.md'), 'utf8');
  const code = /^```ts\n([\s\S]*?)^```$/mu.exec(readme)?.[1] ?? '';
  const home = await tempFolder();
  await writeFile(join(home, 'claude'), '#!/bin/sh\necho 2.1.0\n');
  await chmod(join(home, 'claude'), 0o755);
  const env = { ...process.env, HOME: home, PATH: [home, process.env['PATH']].join(delimiter) };
  const program = code.replace('port: 9999', "port: 0, host: '127.0.0.1'");
  const args = ['--conditions=agent-relay-source', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] });
  later(async () => child.kill('SIGKILL'));
  const [printed] = await once(child.stdout, 'data');
  const url = /ws:\S+/u.exec(String(printed))?.[0] ?? '';
  const client = await connect(url);
  expect(await client.next(() => true)).toEqual({ type: 'connected', version: '1.1', agent: 'my-app', mode: 'safe' });
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  expect(await client.closed).toEqual({ code: 1001, reason: 'Server is shutting down' });
  expect(await exited).toEqual([0, null]);
});
