import { mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Reservation } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay } from '../../server/src/testing.ts';
import { Api, World } from './link-world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

test('before an agent changes what another has reserved, its machine is told who keeps it, whatever mode it runs in; while the relay is away by what it said last', async () => {
  const relay = await startTestRelay();
  world.onClose(() => relay.close());
  const api = new Api(relay.url, relay.ownerToken);
  const cwd = realpathSync(world.folder);
  await api.call('POST', '/agents', { id: 'Early', name: 'Early' });
  await api.call('POST', '/reservations', { agentId: 'Early', folder: cwd, patterns: ['early/'], enforced: true });
  await world.node(relay.url, relay.ownerToken);
  await api.nodeOnline();
  mkdirSync(join(cwd, 'src'));
  symlinkSync('src', join(cwd, 'door'));
  for (const name of ['Ann', 'Ben']) await api.spawn(name, { cwd, mode: 'unrestricted' });
  const reserved: Reservation = await api.call('POST', '/reservations', {
    agentId: 'Ann',
    folder: cwd,
    patterns: ['src/'],
    enforced: true,
  });
  const [ann, ben] = world.provider.started.map(({ reservedAgainst }) => reservedAgainst);
  if (!ann || !ben) throw new Error('A provider is given no way to ask');
  const edit = { kind: 'edit', cwd, input: { file_path: 'door/a.ts' } } as const;
  const kept = /^Ann has reserved these files until /u;
  expect(await ben(edit)).toMatch(kept);
  expect(await ben({ kind: 'execute', cwd, input: { command: 'rm -rf src' } })).toMatch(kept);
  expect(await ben({ kind: 'edit', cwd, input: 'patch' })).toMatch(/this does not tell which files it changes/u);
  // What else the use names, however it is called and however much it is, hides nothing.
  mkdirSync(join(cwd, 'two\nlines'));
  symlinkSync('two\nlines', join(cwd, 'odd'));
  for (const beside of ['two\u2028lines', 'odd', 'n'.repeat(5_000)])
    expect(await ben({ kind: 'execute', cwd, input: { command: `rm -rf src/a.ts "${beside}"` } })).toMatch(kept);
  const changes = [...Array.from({ length: 600 }, (_, index) => `/l/${index}`), 'src/a.ts'].map((path) => ({ path }));
  expect(await ben({ kind: 'edit', cwd, input: { changes } })).toMatch(kept);
  expect(await ben({ kind: 'edit', cwd: `/${'deep/'.repeat(2_000)}`, input: 'patch' })).toMatch(/this does not tell which files/u);
  expect(await ann(edit)).toBeNull();
  expect(await ben({ kind: 'edit', cwd, input: { file_path: 'lib/a.ts' } })).toBeNull();
  expect(await ben({ kind: 'read', cwd, input: { file_path: 'src/a.ts' } })).toBeNull();
  await api.call('POST', `/reservations/${reserved.id}/release`, { agentId: 'Ann' });
  expect(await ben(edit)).toBeNull();
  await api.call('POST', '/reservations', { agentId: 'Ann', folder: cwd, patterns: ['src/'], enforced: true });
  const last = { kind: 'edit', cwd, input: { file_path: 'last/a.ts' } } as const;
  await api.call('POST', '/reservations', { agentId: 'Ann', folder: cwd, patterns: ['last/'], enforced: true });
  expect(await ben(last)).toMatch(kept);
  await relay.close();
  const said = /^(?:Ann|Early) has reserved these files until .*The relay cannot be asked now: this is what it said last$/u;
  expect(await ben(last)).toMatch(said);
  expect(await ben({ kind: 'edit', cwd, input: { file_path: 'early/a.ts' } })).toMatch(said);
  expect(await ann(last)).toBeNull();
});
