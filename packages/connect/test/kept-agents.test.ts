import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pairedMachine, startTestRelay, type TestRelay } from '../../server/src/testing.ts';
import { Api, endProcess, marked, World } from './link-world.ts';

/** A program is started four times here, on whatever machine this is. */
const until = <T>(check: () => T) => vi.waitFor(check, { timeout: 60_000, interval: 50 });

let world: World;
let relay: TestRelay;
let api: Api;
let machine: { readonly nodeId: string; readonly token: string };
beforeEach(async () => {
  world = new World();
  relay = await startTestRelay();
  world.onClose(() => relay.close());
  api = new Api(relay.url, relay.ownerToken);
  machine = await pairedMachine(relay.relay, 'far');
});
afterEach(() => world.close());

const file = () => join(world.folder, 'node.yaml');

/** `relay-connect` with a token of its own and the scripted vendor, which keeps its conversations. */
function connect(): ChildProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AGENT_RELAY_'));
  const env = { ...Object.fromEntries(inherited), AGENT_RELAY_TOKEN: machine.token, AGENT_RELAY_NODE_FILE: file(), SCRIPTED_RESUMES: '1' };
  const program = fileURLToPath(new URL('./scripted-node.ts', import.meta.url));
  const args = ['--conditions=agent-relay-source', program, '--url', relay.url, '--state-dir', join(world.folder, 'state')];
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' });
  world.onClose(() => endProcess(child, 'SIGTERM'));
  return child;
}

const runs = (name: string, epoch: number) =>
  until(async () => {
    const agent = await api.agent(name).catch(() => null);
    expect(agent).toMatchObject({ epoch, ready: true, nodeId: machine.nodeId });
    const session = await api.session(agent?.sessionId ?? '');
    expect(session.status).toBe('running');
    return session;
  });

test('a machine that was killed ends what was left, and starts again what its owner keeps, with its conversation and the mail that nobody had confirmed', {
  timeout: 240_000,
}, async () => {
  writeFileSync(
    file(),
    'spawners: []\nkeep:\n  - { name: Worker, provider: scripted, approval: guarded }\n  - { name: Other, provider: absent }\n',
  );
  const rules = 'keep:\n  - { name: Worker, provider: scripted, approval: guarded }\n  - { name: Other, provider: absent }\n';
  writeFileSync(file(), rules);
  const first = connect();
  await until(() => api.nodeOnline());
  await api.spawn('Worker', { node: 'far', approval: 'guarded' });
  writeFileSync(file(), `spawners: []\n${rules}`);
  const before = await runs('Worker', 1);
  expect(before).toMatchObject({ spawnedBy: null, mode: 'agentic' });
  // Nobody else starts anything here, whoever it is.
  await expect(api.spawn('Guest', { node: 'far' })).rejects.toMatchObject({ code: 'forbidden' });
  expect(marked(before.sessionId)).toHaveLength(1);

  await endProcess(first, 'SIGKILL');
  const { id } = await api.send('id:Worker', '!say are you there');
  const second = connect();
  const after = await runs('Worker', 2);
  expect(marked(before.sessionId)).toEqual([]);
  expect(after).toMatchObject({ cwd: before.cwd, provider: 'scripted' });
  await until(async () => expect(await api.receipts(id)).toEqual(['seen']));
  expect((await api.agent('Worker')).approval).toBe('guarded');

  // One whose process dies comes back; one that somebody released stays away.
  await api.send('id:Worker', '!crash');
  await runs('Worker', 3);
  await api.call('POST', '/agents/Worker/release', {});
  await until(async () => expect((await api.agent('Worker')).status).toBe('offline'));
  await endProcess(second, 'SIGTERM');
  connect();
  await runs('Worker', 4);
});
