import { expect, test } from 'vitest';
import { globalPrefixOf, installationOf } from './installation.ts';

test.each([
  ['/usr/local/lib/node_modules/agent-relay-server/dist/cli.js', { type: 'npm-global', prefix: '/usr/local' }],
  [
    '/home/a/.nvm/versions/node/v24.1.0/lib/node_modules/agent-relay-server/dist/cli.js',
    { type: 'npm-global', prefix: '/home/a/.nvm/versions/node/v24.1.0' },
  ],
  [
    'C:\\Users\\a\\AppData\\Roaming\\npm\\node_modules\\agent-relay-server\\dist\\cli.js',
    { type: 'npm-global', prefix: 'C:/Users/a/AppData/Roaming/npm' },
  ],
  ['/home/a/project/node_modules/agent-relay-server/dist/cli.js', { type: 'npm-project', folder: '/home/a/project' }],
  ['/home/a/.npm/_npx/0a1b/node_modules/agent-relay-server/dist/cli.js', { type: 'npx' }],
  ['/home/a/agent-relay/packages/server/dist/cli.js', { type: 'checkout', folder: '/home/a/agent-relay' }],
  ['/home/a/agent-relay/packages/server/src/cli.ts', { type: 'checkout', folder: '/home/a/agent-relay' }],
  [
    '/home/a/.local/share/pnpm/global/5/.pnpm/agent-relay-server@0.1.0/node_modules/agent-relay-server/dist/cli.js',
    { type: 'other', by: 'pnpm' },
  ],
  ['/home/a/.config/yarn/global/node_modules/agent-relay-server/dist/cli.js', { type: 'other', by: 'yarn' }],
  ['/home/a/.bun/install/global/node_modules/agent-relay-server/dist/cli.js', { type: 'other', by: 'bun' }],
  ['/opt/agent-relay/cli.js', { type: 'other', by: 'unknown' }],
] as const)('%s', (path, expected) => {
  expect(installationOf(path)).toEqual(expected);
});

test('a companion is found in the prefix that it lies in, and nowhere else', () => {
  expect(globalPrefixOf('/opt/p/lib/node_modules/agent-relay-codex/dist/codex-relay.js', 'agent-relay-codex')).toBe('/opt/p');
  expect(globalPrefixOf('/opt/p/lib/node_modules/another/dist/codex-relay.js', 'agent-relay-codex')).toBeUndefined();
  expect(globalPrefixOf('/home/a/project/node_modules/agent-relay-codex/dist/codex-relay.js', 'agent-relay-codex')).toBeUndefined();
});
