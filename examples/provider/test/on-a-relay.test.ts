import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeRelayClient } from 'agent-relay-client/node';
import { startTestRelay } from 'agent-relay-server/testing';
import { expect, test } from 'vitest';
import { parrotCommand } from './parrot-harness.ts';

const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

test('a relay starts a parrot on the machine that lends itself, and a message to it is seen', async () => {
  await using relay = await startTestRelay();
  const folder = mkdtempSync(join(tmpdir(), 'parrot-node-'));
  writeFileSync(join(folder, 'token'), relay.ownerToken, { mode: 0o600 });
  writeFileSync(join(folder, 'parrot'), `#!/bin/sh\nexec ${process.execPath} ${parrotCommand} "$@"\n`, { mode: 0o755 });
  const args = ['--url', relay.url, '--token-file', join(folder, 'token'), '--name', 'aviary', '--state-dir', join(folder, 'state')];
  const node = spawn(process.execPath, ['--conditions=agent-relay-source', program, ...args, '--log-level', 'error'], {
    env: { ...process.env, PATH: [folder, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter) },
    stdio: 'inherit',
  });
  const gone = new Promise((resolve) => node.once('exit', resolve));
  try {
    const client = createNodeRelayClient({ url: relay.url, token: relay.ownerToken });
    const start = () => client.sessions.start({ provider: 'parrot', name: 'Polly', cwd: folder });
    await expect
      .poll(
        () =>
          start().then(
            () => 'runs',
            (error: { code: string }) => error.code,
          ),
        { timeout: 20_000 },
      )
      .toBe('runs');
    const { id } = await client.messages.send({ to: 'Polly', body: 'Who is a pretty bird?' });
    const receipts = async () => (await client.messages.deliveries({ id })).data.map(({ state, evidence }) => ({ state, evidence }));
    await expect.poll(receipts).toEqual([{ state: 'seen', evidence: 'turn' }]);
  } finally {
    node.kill('SIGTERM');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  }
});
