import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processIdentity } from 'agent-relay-wire/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalNode } from '../src/local-node.ts';
import { silentLogger } from '../src/logger.ts';
import { poll } from './support/poll.ts';

let folder = '';
const nodes: LocalNode[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-relay-node-'));
});

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Writes how it was called, ends politely on SIGTERM. */
const script = `
  require('node:fs').appendFileSync(process.env.OUT, process.pid + ' ' + process.argv.slice(2).join(' ') + '\\n');
  process.on('SIGTERM', () => { require('node:fs').appendFileSync(process.env.OUT, process.pid + ' ended\\n'); process.exit(0); });
  setInterval(() => {}, 1000);
`;

interface NodeSituation {
  readonly url?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly hasAgents?: boolean;
}

function localNode({ url = 'http://127.0.0.1:4850', env = process.env, hasAgents = false }: NodeSituation = {}): LocalNode {
  const file = join(folder, 'node.cjs');
  writeFileSync(file, script.replaceAll('process.env.OUT', JSON.stringify(join(folder, 'out'))));
  const node = new LocalNode({
    url,
    socket: join(folder, 'relay.db.sock'),
    tokenFile: join(folder, 'token'),
    stateFolder: join(folder, 'state'),
    processFile: join(folder, 'node.json'),
    logFile: join(folder, 'node.log'),
    approvalTimeoutSeconds: 60,
    agentEnvironment: ['AWS_*'],
    env,
    hasAgents: async () => hasAgents,
    log: silentLogger,
    command: [process.execPath, file],
  });
  nodes.push(node);
  return node;
}

const written = (): string[] => {
  try {
    return readFileSync(join(folder, 'out'), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
};
const isGone = async (pid: number | null) => pid === null || (await processIdentity(pid)) === undefined;

test('a node is started with everything it needs, and a clean stop waits until it has ended', async () => {
  const node = localNode();
  await node.start();
  const { pid } = node;
  await poll('it runs', () => written().length === 1);
  const where = `--url http://127.0.0.1:4850 --socket ${folder}/relay.db.sock --token-file ${folder}/token --name local --state-dir ${folder}/state`;
  expect(written()).toEqual([`${pid} ${where} --approval-timeout 60 --agent-env AWS_*`]);
  await node.stop();
  expect([written()[1], await isGone(pid)]).toEqual([`${pid} ended`, true]);
});

test('the relay after a crash takes over the node that still runs', async () => {
  const before = localNode();
  await before.start();
  await poll('it runs', () => written().length === 1);
  const after = localNode();
  await after.start();
  expect([after.pid, written().length]).toEqual([before.pid, 1]);
  await after.stop();
  expect(await isGone(before.pid)).toBe(true);
});

test('a node goes on with a relay that listens on another port, for it comes through the door', async () => {
  const before = localNode();
  await before.start();
  await poll('it runs', () => written().length === 1);
  const after = localNode({ url: 'http://127.0.0.1:4900' });
  await after.start();
  expect([after.pid, after.isOutdated]).toEqual([before.pid, false]);
});

test.each([
  ['without agents is started anew', false],
  ['with agents is kept, and known to be outdated', true],
])('a node of another PATH %s', async (_what, hasAgents) => {
  const before = localNode({ env: { ...process.env, PATH: '/earlier' } });
  await before.start();
  await poll('it runs', () => written().length === 1);
  const after = localNode({ hasAgents });
  await after.start();
  expect([after.pid === before.pid, after.isOutdated]).toEqual([hasAgents, hasAgents]);
});

test('a node that looks for a relay elsewhere makes room for one of ours', async () => {
  const before = localNode({ url: 'http://relay.example:4850' });
  await before.start();
  await poll('it runs', () => written().length === 1);
  const after = localNode();
  await after.start();
  expect(await isGone(before.pid)).toBe(true);
  await poll('the new one runs', () => written().length === 3);
  expect(after.pid).not.toBe(before.pid);
});

test('a pid that another program has by now is neither taken over nor ended', async () => {
  writeFileSync(join(folder, 'node.json'), JSON.stringify({ pid: process.pid, startedAt: 'long ago', url: 'http://127.0.0.1:4850' }));
  const node = localNode();
  await node.start();
  expect(node.pid).not.toBe(process.pid);
  await node.stop();
});

test('a node that ends by itself is started again', async () => {
  const node = localNode();
  await node.start();
  const first = node.pid ?? 0;
  await poll('it runs', () => written().length === 1);
  process.kill(first, 'SIGKILL');
  await poll('another one runs', () => written().length === 2);
  expect(node.pid).not.toBe(first);
});

test('a node that cannot be written down runs alone, and is written down once there is room', async () => {
  mkdirSync(join(folder, 'node.json'));
  const node = localNode();
  await node.start();
  await poll('it runs', () => written().length === 1);
  // Longer than it takes to look after it.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect([written().length, await isGone(node.pid)]).toEqual([1, false]);
  rmSync(join(folder, 'node.json'), { recursive: true });
  await poll('it is written down', () => existsSync(join(folder, 'node.json')));
  expect(JSON.parse(readFileSync(join(folder, 'node.json'), 'utf8'))).toMatchObject({ pid: node.pid });
});

test('a node whose log cannot be opened is started once it can', async () => {
  mkdirSync(join(folder, 'node.log'));
  const node = localNode();
  await node.start();
  expect(node.pid).toBe(null);
  rmSync(join(folder, 'node.log'), { recursive: true });
  await poll('it runs', () => written().length === 1);
});
