import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Node, NodePairing, Token } from 'agent-relay-protocol';
import { environmentOf } from 'agent-relay-wire/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestRelay, type TestRelay } from '../../server/src/testing.ts';
import { Api, endProcess, marked, until, World } from './link-world.ts';

let world: World;
let relay: TestRelay;
let api: Api;
let stateDir: string;
beforeEach(async () => {
  world = new World();
  relay = await startTestRelay();
  world.onClose(() => relay.close());
  api = new Api(relay.url, relay.ownerToken);
  stateDir = join(world.folder, 'state');
});
afterEach(() => world.close());

interface Program {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly ended: Promise<number | null>;
}

/** `relay-connect` with the scripted vendor. */
function connect(args: readonly string[], env: Record<string, string> = {}): Program {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('AGENT_RELAY_'));
  const child = world.process('./scripted-node.ts', args, { ...Object.fromEntries(inherited), ...env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece) => {
      said += piece;
    });
  return { child, said: () => said, ended: new Promise((resolve) => child.once('close', resolve)) };
}

async function pairAs(name: string): Promise<Node> {
  const pairing = connect(['pair', '--url', relay.url, '--name', name, '--state-dir', stateDir]);
  const code = await until(() => {
    const [, shown] = /agent-relay nodes pair (\S+)/u.exec(pairing.said()) ?? [];
    expect(shown).toMatch(/^\w{4}-\w{4}$/u);
    return shown;
  });
  const { data } = await api.call<{ data: NodePairing[] }>('GET', '/nodes/pairings');
  expect(data).toMatchObject([{ code, name }]);
  const node = await api.call<Node>('POST', '/nodes/pair', { code });
  expect([await pairing.ended, pairing.said()]).toEqual([0, expect.stringContaining(`Paired as ${node.name} (${node.nodeId})`)]);
  return node;
}

test('a machine is paired by its code, runs agents with its own token alone, and ends with them when it is removed', async () => {
  const node = await pairAs('far');
  expect(readdirSync(stateDir).sort()).toEqual(['relay-url', 'token']);
  expect(statSync(join(stateDir, 'token')).mode & 0o777).toBe(0o600);

  const machine = connect(['--state-dir', stateDir]);
  await api.nodeOnline();
  const session = await api.spawn('Worker', { node: node.nodeId, task: '!say ready' });
  await until(async () => expect(await api.texts('Worker')).toEqual(['ready']));
  const mail = await api.send('Worker', 'please look');
  await until(async () => expect(await api.receipts(mail.id)).toEqual(['seen']));
  const answered = await api.spawn('Lead', { node: node.nodeId, task: '!say ->relay:Worker !say asked' });
  await until(async () => expect(await api.texts('Worker')).toContain('asked'));
  expect(answered).toMatchObject({ nodeId: node.nodeId });
  const line = JSON.parse(machine.said().split('\n')[0] ?? '');
  expect(line).toMatchObject({ msg: expect.any(String) });

  expect(marked(session.sessionId)).not.toEqual([]);
  await api.call('DELETE', `/nodes/${node.nodeId}`);
  expect(await machine.ended).toBe(1);
  expect(machine.said().trimEnd().split('\n').at(-1)).toBe(
    'relay-connect: the token of this machine was revoked, and its agents were ended; relay-connect pair lets it in again',
  );
  expect(marked(session.sessionId)).toEqual([]);
  expect(await api.session(session.sessionId)).toMatchObject({ status: 'ended', reason: 'The token of its machine was revoked' });

  const again = connect(['--state-dir', stateDir]);
  expect([await again.ended, again.said()]).toEqual([1, expect.stringContaining('(unauthorized)')]);
});

test('a machine that was paired anew goes on with its new token, without a restart', async () => {
  const first = await pairAs('far');
  const machine = connect(['--state-dir', stateDir]);
  await api.nodeOnline();
  const second = await pairAs('far');
  expect(second.name).toBe('far-2');
  const { data } = await api.call<{ data: Token[] }>('GET', '/tokens');
  await api.call('DELETE', `/tokens/${data.find(({ nodeId }) => nodeId === first.nodeId)?.tokenId}`);
  await until(async () => {
    const nodes = await api.call<{ data: Node[] }>('GET', '/nodes');
    expect(Object.fromEntries(nodes.data.map(({ nodeId, status }) => [nodeId, status]))).toEqual({
      [first.nodeId]: 'offline',
      [second.nodeId]: 'online',
    });
  });
  expect(await endProcess(machine.child, 'SIGTERM')).toBe(0);
});

test('a token and an address are taken from the environment, and no agent gets them', async () => {
  const machine = connect(['--state-dir', stateDir, '--agent-env', 'AGENT_RELAY_*'], {
    AGENT_RELAY_URL: relay.url,
    AGENT_RELAY_TOKEN: relay.ownerToken,
  });
  await api.nodeOnline();
  const session = await api.spawn('Worker', { task: '!hang' });
  const [pid] = marked(session.sessionId);
  const environment = (await environmentOf(pid ?? 0))?.join('\n');
  expect(environment).toContain('AGENT_RELAY_SESSION_ID=');
  expect(environment).not.toMatch(/AGENT_RELAY_(?:TOKEN|URL)/u);
  expect(await endProcess(machine.child, 'SIGTERM')).toBe(0);
});

const SCRIPT = '/usr/bin/script';

test.skipIf(!existsSync(SCRIPT))('on a terminal it speaks in sentences, and a log file gets lines for programs instead', async () => {
  const program = fileURLToPath(new URL('./scripted-node.ts', import.meta.url));
  const onTerminal = (state: string, more = '') => {
    const line = `${process.execPath} --conditions=agent-relay-source ${program} --url ${relay.url} --name laptop --state-dir ${state} ${more}`;
    const child = spawn(SCRIPT, ['-qec', line, '/dev/null'], { env: { ...process.env, AGENT_RELAY_TOKEN: relay.ownerToken } });
    world.onClose(() => endProcess(child, 'SIGTERM'));
    let said = '';
    child.stdout.on('data', (piece) => {
      said += piece;
    });
    return () => said.split('\r\n').filter((each) => each !== '');
  };
  const spoken = onTerminal(stateDir);
  await api.nodeOnline();
  await api.spawn('Worker');
  await until(() =>
    expect(spoken()).toEqual([
      `Connected to ${relay.url} as laptop (local).`,
      'Ready: scripted 1.0.0.',
      `Dashboard: ${relay.url}/`,
      'Worker started (scripted).',
    ]),
  );
  const logFile = join(world.folder, 'log');
  const silent = onTerminal(join(world.folder, 'another'), `--log-file ${logFile}`);
  await until(() => expect(JSON.parse(readFileSync(logFile, 'utf8').split('\n')[0] ?? '')).toMatchObject({ msg: 'attached to the relay' }));
  expect(silent()).toEqual([]);
  // The second took over, and the first says why it ended.
  await until(() => expect(spoken().at(-1)).toContain('another process has attached as the same machine'));
});

test('what is missing or wrong is one sentence, and leaves nothing behind', async () => {
  const bare = connect(['--state-dir', stateDir]);
  expect([await bare.ended, bare.said()]).toEqual([
    1,
    'relay-connect: This machine has no token: let it in with relay-connect pair, or give --token-file\n',
  ]);
  const both = connect(['--token', 'x', '--token-file', 'y']);
  expect([await both.ended, both.said()]).toEqual([2, expect.stringContaining("'--token <token>' cannot be used with")]);
  const away = connect(['pair', '--url', 'http://127.0.0.1:1', '--state-dir', stateDir]);
  expect([await away.ended, away.said()]).toEqual([1, 'relay-connect: Cannot reach the relay at http://127.0.0.1:1\n']);
  const stranger = createServer((_request, response) => response.end('{}'));
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  world.onClose(() => stranger.close());
  const { port } = stranger.address() as AddressInfo; // it listens on TCP
  const wrong = connect(['pair', '--url', `http://127.0.0.1:${port}`, '--state-dir', stateDir]);
  expect([await wrong.ended, wrong.said()]).toEqual([1, `relay-connect: What answers at http://127.0.0.1:${port} is no Agent Relay\n`]);
  expect(existsSync(stateDir)).toBe(false);
});
