import { expect, test } from 'vitest';
import { npmPrefixOf, shellProfile } from './places.ts';

test.each([
  ['/opt/npm-things/lib/node_modules/agent-relay-codex/', '/opt/npm-things'],
  ['C:\\Users\\a\\AppData\\Roaming\\npm\\node_modules\\agent-relay-codex\\', 'C:/Users/a/AppData/Roaming/npm'],
  ['/home/a/project/node_modules/agent-relay-codex/', null],
  ['/home/a/agent-relay/packages/codex-plugin/', null],
])('the package in %s was put there by the prefix %s', (folder, prefix) => {
  expect(npmPrefixOf(folder)).toBe(prefix);
});

test.each([
  [{ HOME: '/h', SHELL: '/bin/bash' }, '/h/.bashrc'],
  [{ HOME: '/h', SHELL: '/usr/bin/zsh', ZDOTDIR: '/z' }, '/z/.zshrc'],
  [{ HOME: '/h', SHELL: '/usr/bin/fish' }, '/h/.config/fish/config.fish'],
  [{ HOME: '/h', SHELL: '/bin/tcsh' }, undefined],
])('%j reads its aliases in %s', (env, path) => {
  expect(shellProfile(env, 'linux')?.path).toBe(path);
});
