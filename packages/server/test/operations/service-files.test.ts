import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findExecutable } from 'agent-relay-wire/node';
import { afterAll, expect, test } from 'vitest';
import { launchdPlist } from '../../src/operations/launchd-plist.ts';
import { isManaged } from '../../src/operations/managed-file.ts';
import type { ServiceDefinition } from '../../src/operations/service.ts';
import { systemdUnit } from '../../src/operations/systemd-unit.ts';

const folder = mkdtempSync(join(tmpdir(), 'agent-relay-service-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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

const checker = await findExecutable('systemd-analyze');
test.skipIf(checker === undefined)(
  "systemd's own checker finds no fault in the unit, and one in a unit that has one (needs systemd-analyze)",
  () => {
    const unit = systemdUnit({ ...awkward, workingFolder: folder });
    expect(faultsInUnit(unit)).toEqual([]);
    expect(faultsInUnit(unit.replace('Type=exec', 'Type=unheard-of'))).toEqual([expect.stringContaining('unheard-of')]);
  },
);

const reader = (await findExecutable('plutil')) ?? (await findExecutable('python3'));
test.skipIf(reader === undefined)('a reader of property lists finds in ours what it is to say (needs plutil or python3)', () => {
  const path = join(folder, 'agent-relay.plist');
  writeFileSync(path, launchdPlist(awkward));
  const asJson = ['-c', 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))', path];
  const args = reader?.endsWith('plutil') ? ['-convert', 'json', '-o', '-', path] : asJson;
  const { stdout } = spawnSync(reader ?? '', args, { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual({
    Label: 'agent-relay',
    ProgramArguments: [...awkward.command, '--clean-exit-on-misuse'],
    EnvironmentVariables: awkward.environment,
    WorkingDirectory: awkward.workingFolder,
    RunAtLoad: true,
    KeepAlive: { SuccessfulExit: false },
    AbandonProcessGroup: true,
    ExitTimeOut: 30,
    StandardOutPath: awkward.logFile,
    StandardErrorPath: awkward.logFile,
  });
});

function faultsInUnit(text: string): readonly string[] {
  const path = join(folder, 'agent-relay.service');
  writeFileSync(path, text);
  const environment = { PATH: process.env['PATH'] ?? '', HOME: folder, XDG_RUNTIME_DIR: folder };
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--user', '--man=no', path], { env: environment, encoding: 'utf8' });
  const faults = stderr.split('\n').filter((line) => line.includes('agent-relay.service'));
  return status === 0 || faults.length > 0 ? faults : [`systemd-analyze ended with ${status}: ${stderr}`];
}
