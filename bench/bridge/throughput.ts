/**
 * What a bridge costs beside a bare program that pipes an agent's lines to a socket: pieces of text a second on one stream and on fifty, what is lost, the
 * time to the first piece and to that of a second prompt, and memory with a client that does not read. Rounds of the two are interleaved; medians are shown.
 *
 *     npm run build && node bench/bridge/throughput.ts [--rounds 3] [--pieces 100000]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, pieces: { type: 'string', default: '100000' } } });
const rounds = Number(values.rounds);
const pieces = Number(values.pieces);
const connections = 50;
const piece = 'thirty-seven bytes of a model’s words';
const agent = fileURLToPath(new URL('fast-agent.mjs', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'agent-bridge-bench-'));
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const programs = {
  bridge: [
    at('../../packages/bridge/dist/cli.js'),
    '--port',
    '0',
    '--host',
    '127.0.0.1',
    '--no-auth',
    '--log-level',
    'error',
    '--claude-path',
    agent,
    '--max-connections',
    '1000',
  ],
  bare: [at('bare-program.ts'), agent],
};
type Name = keyof typeof programs;

async function start(name: Name): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, programs[name], { env: { ...process.env, HOME: home }, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += String(chunk);
    const url = /ws:\/\/\S+/u.exec(printed)?.[0];
    if (url !== undefined) return { url, child };
  }
  throw new Error(`${name} did not start`);
}

interface Answer {
  readonly firstMs: number;
  readonly totalMs: number;
  readonly characters: number;
}

async function connect(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

function ask(socket: WebSocket, count: number, projectId: string): Promise<Answer> {
  const requestId = Math.random().toString(36).slice(2);
  const began = performance.now();
  let firstMs = 0;
  let characters = 0;
  return new Promise((resolve, reject) => {
    const listen = (data: unknown) => {
      const frame = JSON.parse(String(data));
      if (frame.requestId !== requestId) return;
      if (frame.type === 'error') reject(new Error(frame.message));
      if (frame.type === 'chunk') {
        firstMs ||= performance.now() - began;
        characters += frame.content.length;
      }
      if (frame.type !== 'complete') return;
      socket.off('message', listen);
      resolve({ firstMs, totalMs: performance.now() - began, characters });
    };
    socket.on('message', listen);
    socket.send(JSON.stringify({ type: 'prompt', prompt: String(count), requestId, projectId }));
  });
}

const median = (figures: readonly number[]): number => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;
const megabytes = (pid: number): number => Number(/VmRSS:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

interface Figures {
  readonly oneStream: number;
  readonly manyStreams: number;
  readonly firstMs: number;
  readonly secondMs: number;
  readonly lost: number;
  readonly unreadMb: number;
}

async function measure(name: Name): Promise<Figures> {
  const { url, child } = await start(name);
  const pid = child.pid ?? 0;
  try {
    const socket = await connect(url);
    const first = await ask(socket, 1, 'warm');
    const later: number[] = [];
    for (let turn = 0; turn < 20; turn++) later.push((await ask(socket, 1, 'warm')).firstMs);
    const one = await ask(socket, pieces, 'warm');
    const sockets = await Promise.all(Array.from({ length: connections }, () => connect(url)));
    const share = pieces / connections;
    await Promise.all(sockets.map((each, index) => ask(each, 1, `p${index}`)));
    const began = performance.now();
    const many = await Promise.all(sockets.map((each, index) => ask(each, share, `p${index}`)));
    const manyMs = performance.now() - began;
    const asked = pieces + share * connections;
    const got = [one, ...many].reduce((sum, { characters }) => sum + characters, 0) / piece.length;
    for (const each of sockets) each.terminate();
    await pause(500);
    const before = megabytes(pid);
    socket.pause();
    socket.send(JSON.stringify({ type: 'prompt', prompt: String(pieces * 20), requestId: 'unread', projectId: 'warm' }));
    await pause(6_000);
    const unreadMb = megabytes(pid) - before;
    socket.terminate();
    const rates = { oneStream: pieces / (one.totalMs - one.firstMs) / 1e-3, manyStreams: (share * connections) / manyMs / 1e-3 };
    return { ...rates, firstMs: first.firstMs, secondMs: median(later), lost: asked - got, unreadMb };
  } finally {
    child.kill('SIGTERM');
    await new Promise((resolve) => child.once('exit', resolve));
  }
}

const measured: Record<Name, Figures[]> = { bridge: [], bare: [] };
try {
  for (let round = 0; round < rounds; round++) {
    for (const name of ['bridge', 'bare'] as const) measured[name].push(await measure(name));
  }
} finally {
  rmSync(home, { recursive: true, force: true });
}
const figure = (name: Name, key: keyof Figures): number => median(measured[name].map((each) => each[key]));
const row = (title: string, key: keyof Figures, digits: number) => {
  const [ours, bare] = [figure('bridge', key), figure('bare', key)];
  return `| ${title} | ${ours.toFixed(digits)} | ${bare.toFixed(digits)} | ${bare === 0 ? '' : (ours / bare).toFixed(2)} |`;
};
const lines = [
  '| figure | bridge | bare program | ratio |',
  '|---|---|---|---|',
  row('pieces a second, one stream', 'oneStream', 0),
  row(`pieces a second, ${connections} connections`, 'manyStreams', 0),
  row('first prompt to its first piece, ms', 'firstMs', 1),
  row('a later prompt to its first piece, ms', 'secondMs', 2),
  row('pieces lost', 'lost', 0),
  row('memory for a client that does not read, MB', 'unreadMb', 0),
];
process.stdout.write(`${lines.join('\n')}\n`);
