import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable } from 'agent-relay-wire/node';
import { expect, test } from 'vitest';
import { launchdPlist } from '../../src/operations/launchd-plist.ts';
import { isManaged } from '../../src/operations/managed-file.ts';
import type { ServiceDefinition } from '../../src/operations/service.ts';
import { systemdUnit } from '../../src/operations/systemd-unit.ts';

/** With everything in it that one of the two formats would read as its own. */
const awkward: ServiceDefinition = {
  command: ['/usr/bin/env', '/opt/my "relay" & <co>/100%/$HOME/cli.js', 'serve', '--no-login-link'],
  environment: { PATH: '/usr/local/bin:/usr/bin', AGENT_RELAY_ENV_FILE: '/home/ada/my "env" \\ 50% & <more>.env' },
  workingFolder: '/home/ada',
  logFile: '/home/ada/.local/state/agent-relay/agent-relay.db.log',
};

test('the systemd unit', async () => {
  const unit = systemdUnit(awkward);
  expect(isManaged(unit)).toBe(true);
  await expect(unit).toMatchFileSnapshot('golden/agent-relay.service');
});

test('the launchd property list', async () => {
  const plist = launchdPlist(awkward);
  expect(isManaged(plist)).toBe(true);
  await expect(plist).toMatchFileSnapshot('golden/agent-relay.plist');
});

test("systemd's own checker finds no fault in the unit, where there is one", async () => {
  if ((await findExecutable('systemd-analyze')) === undefined) return expect(systemdUnit(awkward)).toContain('[Service]');
  const folder = mkdtempSync(join(tmpdir(), 'agent-relay-unit-'));
  try {
    const path = join(folder, 'agent-relay.service');
    writeFileSync(path, systemdUnit({ ...awkward, workingFolder: folder }));
    const environment = { PATH: process.env['PATH'] ?? '', HOME: folder, XDG_RUNTIME_DIR: folder };
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', path], { env: environment, encoding: 'utf8' });
    expect([stderr.split('\n').filter((line) => line.includes('agent-relay.service')), status]).toEqual([[], 0]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
