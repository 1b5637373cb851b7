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

test.each([
  [
    'Windows PowerShell',
    'C:\\Users\\a\\OneDrive\\Dokumente\\WindowsPowerShell\\Modules;C:\\Program Files\\WindowsPowerShell\\Modules',
    'C:\\Users\\a\\OneDrive\\Dokumente\\WindowsPowerShell',
  ],
  [
    'PowerShell 7',
    'C:\\Users\\a\\Documents\\PowerShell\\Modules;c:\\program files\\powershell\\7\\Modules;C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules',
    'C:\\Users\\a\\Documents\\PowerShell',
  ],
  [
    'another shell',
    'C:\\Program Files\\WindowsPowerShell\\Modules;C:\\Windows\\system32\\WindowsPowerShell\\v1.0\\Modules',
    'C:\\Users\\a\\Documents\\PowerShell',
  ],
])('from %s the profile is in the documents of its user, wherever they lie', (_, PSModulePath, folder) => {
  const profile = shellProfile({ USERPROFILE: 'C:\\Users\\a', PSModulePath }, 'win32');
  expect(profile?.path).toBe(`${folder}\\Microsoft.PowerShell_profile.ps1`);
});
