import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Agent } from 'agent-relay-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay } from '../../server/src/testing.ts';
import { Api, World } from './link-world.ts';

let world: World;
let api: Api;
let spawn: (name: string, args: readonly string[], env: Record<string, string>) => Promise<number | null>;

beforeEach(async () => {
  world = new World();
  const relay = await startTestRelay();
  world.onClose(() => relay.close());
  await world.node(relay.url, relay.ownerToken);
  api = new Api(relay.url, relay.ownerToken);
  await api.nodeOnline();
  spawn = (name, args, env) => {
    const all = ['spawn', 'scripted', '--name', name, '--url', relay.url, '--cwd', realpathSync(world.folder), ...args];
    const home = { PATH: process.env['PATH'] ?? '', HOME: world.folder, AGENT_RELAY_TOKEN: relay.ownerToken };
    const command = world.process('../../server/src/cli.ts', all, { ...home, ...env });
    return new Promise((resolve) => command.once('exit', resolve));
  };
});
afterEach(() => world.close());

/** What the relay's card and the running session were told. */
async function told(name: string) {
  const { label, tags, capabilities, channels, approval }: Agent = await api.agent(name);
  const session = world.provider.started.find(({ agentId }) => agentId === name);
  return { label, tags, capabilities, channels, approval, session: session?.approval };
}

test('what environment, profile and command line say of a spawned agent is on its card, and its approval mode holds in its session', async () => {
  const file = join(world.folder, 'profiles.json');
  const backend = { label: 'fixer', tags: ['backend'], capabilities: ['review'], channels: ['deploy'], approval: 'guarded' };
  writeFileSync(file, JSON.stringify({ backend }));
  const env = { AGENT_RELAY_PROFILES_FILE: file };
  expect(await spawn('ByProfile', ['--profile', 'backend'], env)).toBe(0);
  expect(await told('ByProfile')).toEqual({ ...backend, session: 'guarded' });

  const explicit = {
    AGENT_RELAY_PROFILE: 'backend',
    AGENT_RELAY_APPROVAL: 'read-only',
    AGENT_RELAY_TAGS: 'urgent',
    AGENT_RELAY_LABEL: 'mine',
  };
  expect(await spawn('ByEnvironment', [], { ...env, ...explicit })).toBe(0);
  expect(await told('ByEnvironment')).toEqual({
    ...backend,
    label: 'mine',
    tags: ['backend', 'urgent'],
    approval: 'read-only',
    session: 'read-only',
  });

  expect(await spawn('ByOption', ['--approval', 'open', '--label', 'said'], { ...env, ...explicit })).toBe(0);
  expect(await told('ByOption')).toMatchObject({ label: 'said', approval: 'open', session: 'open' });

  expect(await spawn('Plain', [], {})).toBe(0);
  expect(await told('Plain')).toEqual({ label: null, tags: [], capabilities: [], channels: null, approval: 'open', session: 'open' });
});

test('a variable that is wrong starts nothing', async () => {
  expect(await spawn('Never', [], { AGENT_RELAY_APPROVAL: 'maybe' })).toBe(2);
  expect(world.provider.started).toEqual([]);
});
