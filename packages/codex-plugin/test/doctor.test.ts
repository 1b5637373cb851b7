import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { RELAY_VERSION } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examine } from '../src/install/doctor.ts';

const line = 'command -v codex-relay >/dev/null 2>&1 && alias codex=codex-relay # agent-relay';
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'codex-doctor-'));
  await writeFile(join(home, '.bashrc'), `${line}\n`);
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function program(folder: string, name: string, script: string): Promise<string> {
  await mkdir(join(home, folder), { recursive: true });
  const file = join(home, folder, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return file;
}

/** What the doctor says but for Codex and the relay, where these folders are on the `PATH`. */
async function findings(plugins: string, ...folders: readonly string[]) {
  const codex = await program('codex', 'codex', `case "$1" in --version) echo codex-cli 9;; plugin) echo '${plugins}';; *) exit 1;; esac`);
  const PATH = [...folders.map((folder) => join(home, folder)), '/bin', '/usr/bin'].join(delimiter);
  const env = { HOME: home, SHELL: '/bin/bash', PATH, AGENT_RELAY_URL: 'http://127.0.0.1:9' };
  const found = await examine({ codex, env, cwd: home });
  return found.filter(({ text }) => !/^(?:codex-cli|no relay)/u.test(text)).map(({ kind, text }) => `${kind} ${text}`);
}

test.skipIf(process.platform === 'win32')('of what Codex says its version is told, and no warning beside it', async () => {
  const codex = await program('codex', 'codex', 'echo "WARNING: proceeding" >&2; echo codex-cli 9; echo "more of it" >&2');
  const found = await examine({ codex, env: { HOME: home, PATH: '/bin', AGENT_RELAY_URL: 'http://127.0.0.1:9' }, cwd: home });
  expect(found[0]).toEqual({ kind: 'ok', text: `codex-cli 9 at ${codex}` });
});

const installed = `{"installed":[{"pluginId":"agent-relay@agent-relay"}]}`;

test.skipIf(process.platform === 'win32')(
  'after everything was taken out nothing is at fault, and what is left is said to do nothing',
  async () => {
    for (const name of ['agent-relay-codex', 'codex-relay']) await program('.npm/_npx/1/node_modules/.bin', name, `echo ${RELAY_VERSION}`);
    expect(await findings('{"installed":[]}', '.npm/_npx/1/node_modules/.bin')).toEqual([
      'note agent-relay-codex is not installed: npm install -g agent-relay-codex',
      'note the plugin is not installed; codex-relay works without it: agent-relay-codex install',
      `note codex stays as it is: a line of ${join(home, '.bashrc')} that ends in "# agent-relay" does nothing while codex-relay is not installed`,
    ]);
  },
);

test.skipIf(process.platform === 'win32')('a plugin whose package is gone is at fault: its hooks need it', async () => {
  expect(await findings(installed)).toContain(
    'fault agent-relay-codex is not on the PATH, and the plugin’s hooks need it: npm install -g agent-relay-codex',
  );
});

test.skipIf(process.platform === 'win32')(
  'with everything there codex means codex-relay, and the commands’ way out of the sandbox is named',
  async () => {
    for (const name of ['agent-relay-codex', 'codex-relay']) await program('bin', name, `echo ${RELAY_VERSION}`);
    const found = await findings(installed, 'bin');
    expect([found[0], found.at(-1)]).toEqual([
      `ok agent-relay-codex ${RELAY_VERSION}`,
      `ok codex means codex-relay (${join(home, '.bashrc')})`,
    ]);
    expect(found).toContainEqual(expect.stringMatching(/^note commands such as .* --allow-commands lets them out$/u));
  },
);
