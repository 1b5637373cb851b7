import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run-cli.ts';
import { type Command, startCommand } from '../support/command.ts';
import { poll } from '../support/poll.ts';
import { runHere } from '../support/run-command.ts';

let home = '';
const started: Command[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'agent-relay-operations-'));
  mkdirSync(join(home, 'bin'));
});
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

const start = (args: readonly string[], env: Record<string, string> = {}) => {
  const command = startCommand(args, { HOME: home, PATH: join(home, 'bin'), ...env });
  started.push(command);
  return command;
};
const run = (args: readonly string[], env: Record<string, string> = {}) =>
  runHere(args, { env: { HOME: home, PATH: join(home, 'bin'), ...env }, cwd: home });
const envFile = () => join(home, '.config', 'agent-relay', 'agent-relay.env');
const tokenIn = (text: string) => /^AGENT_RELAY_TOKEN=(.*)$/mu.exec(text)?.[1] ?? '';
/** Without Node's own cache of compiled code, which every command may fill. */
const everything = () =>
  readdirSync(home, { recursive: true })
    .map(String)
    .filter((path) => !path.startsWith('.cache'))
    .sort();

/** A program of this name that writes its arguments down and answers as the lines say. */
function fakeProgram(name: string, script: string): () => string[] {
  const log = join(home, `${name}.log`);
  writeFileSync(join(home, 'bin', name), `#!/bin/sh\necho "$*" >> '${log}'\n${script}\n`, { mode: 0o755 });
  return () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
}

describe('setup', () => {
  test('in a fresh home writes a private file that serve starts from', async () => {
    expect(await start(['setup', '--yes', '--port', '0']).done).toMatchObject({ code: 0 });
    expect(statSync(envFile()).mode & 0o777).toBe(0o600);
    const token = tokenIn(readFileSync(envFile(), 'utf8'));
    expect(token.length).toBeGreaterThan(40);
    const server = start(['serve', '--no-local-node', '--no-login-link']);
    await poll('it listens', () => server.out().includes('agent-relay watch'));
    expect(server.out()).not.toContain('/login#');
    const url = /listens on (\S+)/u.exec(server.out())?.[1] ?? '';
    const me = await fetch(`${url}/api/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(await me.json()).toMatchObject({ type: 'owner' });
  });

  test('clients find the relay of a database that only the env file names', async () => {
    await run(['setup', '--yes', '--port', '0', '--db', join(home, 'elsewhere', 'relay.db')]);
    const server = start(['serve', '--no-local-node']);
    await poll('it listens', () => server.out().includes('agent-relay watch'));
    expect(server.out()).not.toContain('--db');
    expect(await run(['agents'])).toMatchObject({ code: 0 });
  });

  test('--dry-run shows everything but the token and touches nothing', async () => {
    const before = everything();
    const { code, out, note } = await run(['setup', '--dry-run', '--host', '0.0.0.0']);
    expect([code, out, note]).toEqual([
      0,
      expect.stringMatching(/HOST +0\.0\.0\.0[\s\S]*AGENT_RELAY_TOKEN +\(a new one, not shown\)/u),
      expect.stringContaining('--dry-run'),
    ]);
    expect(everything()).toEqual(before);
  });

  test('without --yes and without anybody to ask it refuses', async () => {
    expect(await run(['setup'])).toMatchObject({ code: 2, note: expect.stringContaining('--yes') });
    expect(existsSync(envFile())).toBe(false);
  });

  test.each([
    ['y', true],
    ['yes', true],
    ['', false],
    ['no', false],
  ])('a person who answers "%s" decides: %s', async (answer, isWritten) => {
    const terminal = { env: { HOME: home }, cwd: home, signal: new AbortController().signal, out: () => {}, note: () => {} };
    expect(await runCli(['setup'], { ...terminal, ask: async () => answer })).toBe(0);
    expect(existsSync(envFile())).toBe(isWritten);
  });

  test('a file that is not its own is left alone without --force', async () => {
    mkdirSync(dirname(envFile()), { recursive: true });
    writeFileSync(envFile(), 'PORT=1\n');
    expect(await run(['setup', '--yes'])).toMatchObject({ code: 1, note: expect.stringContaining('--force') });
    expect(readFileSync(envFile(), 'utf8')).toBe('PORT=1\n');
    expect(await run(['setup', '--yes', '--force'])).toMatchObject({ code: 0 });
    expect(readFileSync(envFile(), 'utf8')).toContain('PORT=4850');
  });

  test('what serve would refuse is refused, and nothing is written', async () => {
    expect(await run(['setup', '--yes', '--port', '99999'])).toMatchObject({ code: 2, note: expect.stringContaining('PORT') });
    expect(existsSync(envFile())).toBe(false);
  });

  test('running it again closes a file that was opened to others', async () => {
    await run(['setup', '--yes']);
    const text = readFileSync(envFile(), 'utf8');
    chmodSync(envFile(), 0o644);
    expect((await run(['config'])).note).toContain('chmod 600');
    await run(['setup', '--yes']);
    expect([statSync(envFile()).mode & 0o777, readFileSync(envFile(), 'utf8')]).toEqual([0o600, text]);
  });
});

describe('the order of settings', () => {
  test('flags win over the environment, that over the env file, that over defaults; config says which', async () => {
    const path = join(home, 'my.env');
    writeFileSync(path, 'PORT=1111\nHOST=::1\nRETENTION_DAYS=7\n', { mode: 0o600 });
    const { out } = await run(['config', '--json'], { AGENT_RELAY_ENV_FILE: path, HOST: '127.0.0.1' });
    const shown = JSON.parse(out);
    expect(shown.envFile).toBe(path);
    expect(shown.settings).toEqual(
      expect.arrayContaining([
        { name: 'PORT', value: 1111, source: 'env file' },
        { name: 'HOST', value: '127.0.0.1', source: 'environment' },
        { name: 'RETENTION_DAYS', value: 7, source: 'env file' },
        { name: 'STALE_TTL_MS', value: 120_000, source: 'default' },
      ]),
    );
    const server = start(['serve', '--no-local-node', '--port', '0', '--settings', path], { HOST: '127.0.0.1' });
    await poll('it listens', () => server.out().includes('listens on http://127.0.0.1:'));
    expect(server.out()).not.toContain(':1111');
  });

  test('an env file that was named must be there, and one with a misspelt setting is refused', async () => {
    expect(await run(['serve', '--settings', join(home, 'none.env')])).toMatchObject({
      code: 1,
      note: expect.stringContaining('none.env'),
    });
    writeFileSync(join(home, 'bad.env'), 'RETENTION_DAY=7\n');
    expect(await run(['serve', '--settings', join(home, 'bad.env')])).toMatchObject({
      code: 2,
      note: expect.stringContaining('RETENTION_DAY'),
    });
  });
});

describe.runIf(process.platform === 'linux')('daemon', () => {
  const unit = () => join(home, '.config', 'systemd', 'user', 'agent-relay.service');

  test('install, use and uninstall, with what systemd is told', async () => {
    const told = fakeProgram('systemctl', 'exit 0');
    await run(['setup', '--yes']);
    expect(await run(['daemon', 'install', '--enable', '--start', '--yes'])).toMatchObject({ code: 0 });
    const text = readFileSync(unit(), 'utf8');
    expect(text).toContain(`Environment="AGENT_RELAY_ENV_FILE=${envFile()}"`);
    expect(text).toContain(`ExecStart="${process.execPath}"`);
    expect(text).not.toContain(tokenIn(readFileSync(envFile(), 'utf8')));
    for (const action of ['restart', 'stop', 'start', 'disable', 'enable', 'status'])
      expect(await run(['daemon', action])).toMatchObject({ code: 0 });
    expect(await run(['daemon', 'uninstall', '--yes'])).toMatchObject({ code: 0 });
    expect(existsSync(unit())).toBe(false);
    expect(told().filter((line) => !line.includes('show-environment'))).toEqual([
      '--user daemon-reload',
      '--user enable agent-relay.service',
      '--user restart agent-relay.service',
      '--user restart agent-relay.service',
      '--user stop agent-relay.service',
      '--user start agent-relay.service',
      '--user disable agent-relay.service',
      '--user enable agent-relay.service',
      '--user --no-pager --full status agent-relay.service',
      '--user disable --now agent-relay.service',
      '--user daemon-reload',
    ]);
  });

  test('--binary is what is run, and has to be there', async () => {
    fakeProgram('systemctl', 'exit 0');
    const binary = join(home, 'my agent-relay');
    expect(await run(['daemon', 'install', '--yes', '--binary', binary])).toMatchObject({ code: 1, note: expect.stringContaining(binary) });
    writeFileSync(binary, '');
    await run(['daemon', 'install', '--yes', '--binary', binary]);
    expect(readFileSync(unit(), 'utf8')).toContain(`ExecStart="${binary}" "serve" "--no-login-link"\n`);
  });

  test('--dry-run shows the file and the commands and touches nothing', async () => {
    const told = fakeProgram('systemctl', 'exit 0');
    const { code, out } = await run(['daemon', 'install', '--start', '--dry-run']);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^write .*agent-relay\.service\n[\s\S]*restart agent-relay\.service\n[\s\S]*\[Service\]/u),
    ]);
    expect([existsSync(unit()), told()]).toEqual([false, ['--user show-environment']]);
  });

  test('a unit of somebody else is neither replaced nor removed', async () => {
    fakeProgram('systemctl', 'exit 0');
    mkdirSync(dirname(unit()), { recursive: true });
    writeFileSync(unit(), '[Service]\n');
    for (const action of ['install', 'uninstall']) {
      expect(await run(['daemon', action, '--yes'])).toMatchObject({ code: 1, note: expect.stringContaining('--force') });
    }
    expect(readFileSync(unit(), 'utf8')).toBe('[Service]\n');
  });

  test('where no manager answers it prints the command to run by hand, writes nothing and fails', async () => {
    fakeProgram('systemctl', 'echo "Failed to connect to bus" >&2; exit 1');
    const { code, out, note } = await run(['daemon', 'install', '--yes']);
    expect([code, out, note]).toEqual([
      1,
      expect.stringMatching(/ nohup .* serve --no-login-link >> .* &\n$/u),
      expect.stringContaining('by hand'),
    ]);
    expect(existsSync(unit())).toBe(false);
    expect(await run(['daemon', 'install', '--dry-run'])).toMatchObject({ code: 0, out: expect.stringContaining('[Service]\n') });
  });

  test('a command that fails ends the rest and is named', async () => {
    fakeProgram('systemctl', 'case "$*" in *daemon-reload*) exit 4;; esac');
    const { code, note } = await run(['daemon', 'install', '--enable', '--yes']);
    expect([code, note]).toEqual([1, 'error: systemctl --user daemon-reload ended with exit code 4\n']);
  });
});

describe.runIf(process.platform === 'linux')('upgrade', () => {
  /** A copy as `npm install --global` leaves it, as far as its path tells: the real command behind a link would be a checkout's. */
  const globalCommand = () => {
    const folder = join(home, 'lib', 'node_modules', 'agent-relay-server', 'dist');
    mkdirSync(folder, { recursive: true });
    const source = fileURLToPath(new URL('../../src/cli/run-cli.ts', import.meta.url));
    const terminal = `{ env: process.env, cwd: process.cwd(), signal: new AbortController().signal, ask: null, out: console.log, note: console.error }`;
    writeFileSync(
      join(folder, 'cli.js'),
      `import { runCli } from ${JSON.stringify(source)};\nprocess.exitCode = await runCli(process.argv.slice(2), ${terminal});\n`,
    );
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    return join(folder, 'cli.js');
  };
  const upgrade = (...args: string[]) =>
    runHere(['upgrade', ...args], {
      env: { HOME: home, PATH: join(home, 'bin') },
      cwd: home,
      program: { flags: ['--conditions=agent-relay-source'], path: globalCommand() },
    });
  const npm = () => fakeProgram('npm', 'case "$1" in view) echo 9.0.0;; esac');

  test('installs with npm into the same place, refreshes what it added to agents, and restarts the service', async () => {
    const told = { npm: npm(), systemctl: fakeProgram('systemctl', 'exit 0') };
    const claude = fakeProgram('claude', `case "$*" in *list*) echo '[{"id":"agent-relay@agent-relay"}]';; esac`);
    fakeProgram('codex-relay', 'exit 0');
    const codexPlugin = fakeProgram('agent-relay-codex', 'exit 0');
    await run(['daemon', 'install', '--yes']);
    expect(await upgrade('--yes')).toMatchObject({ code: 0 });
    expect(told.npm()).toEqual([
      'view agent-relay-server@latest version',
      `install --global --prefix ${home} agent-relay-server@9.0.0`,
      'install --global agent-relay-codex@9.0.0',
    ]);
    expect(codexPlugin()).toEqual(['refresh']);
    expect(claude().at(-1)).toBe('plugin update agent-relay@agent-relay');
    expect(told.systemctl().at(-1)).toBe('--user restart agent-relay.service');
  });

  test("a plugin that its own installer put into a folder is brought to the relay's version by that", async () => {
    npm();
    fakeProgram('systemctl', 'exit 0');
    const npx = fakeProgram('npx', 'exit 0');
    const claude = fakeProgram(
      'claude',
      `case "$*" in *marketplace*) echo '[{"name":"agent-relay","source":"directory"}]';; *list*) echo '[{"id":"agent-relay@agent-relay"}]';; esac`,
    );
    expect(await upgrade('--yes')).toMatchObject({ code: 0 });
    expect(npx()).toEqual(['--yes agent-relay-plugin@9.0.0 install']);
    expect(claude().some((line) => line.includes('update'))).toBe(false);
  });

  test('--dry-run only asks for the version; --providers and --no-restart leave the rest out', async () => {
    const told = { npm: npm(), systemctl: fakeProgram('systemctl', 'exit 0') };
    fakeProgram('codex-relay', 'exit 0');
    await run(['daemon', 'install', '--yes']);
    const dry = await upgrade('--dry-run');
    expect([dry.code, dry.out.match(/^run /gmu)?.length, told.npm()]).toEqual([0, 5, ['view agent-relay-server@latest version']]);
    const less = await upgrade('--dry-run', '--providers', 'none', '--no-restart');
    expect(less.out.match(/^run .*$/gmu)).toEqual([expect.stringContaining('npm install'), expect.stringContaining('--version')]);
    expect(await upgrade('--dry-run', '--providers', 'nobody')).toMatchObject({ code: 2 });
  });

  test('a failed installation restarts nothing', async () => {
    fakeProgram('npm', 'case "$1" in view) echo 9.0.0;; *) exit 1;; esac');
    const systemctl = fakeProgram('systemctl', 'exit 0');
    await run(['daemon', 'install', '--yes']);
    expect(await upgrade('--yes')).toMatchObject({ code: 1, note: expect.stringContaining('npm install') });
    expect(systemctl().some((line) => line.includes('restart'))).toBe(false);
  });

  test('a checkout is told to pull, and a missing npm is one sentence', async () => {
    expect(await run(['upgrade', '--dry-run'])).toMatchObject({ code: 1, note: expect.stringContaining('git pull') });
    expect(await upgrade('--yes')).toMatchObject({ code: 1, note: expect.stringMatching(/^error: npm does not say .*\n$/u) });
  });
});
