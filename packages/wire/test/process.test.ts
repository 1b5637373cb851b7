import { existsSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { JsonRpcPeer } from '../src/json-rpc-peer.ts';
import { findExecutable } from '../src/node/find-executable.ts';
import { ndjsonDuplex, ndjsonStreams } from '../src/node/ndjson-duplex.ts';
import { isSameProcess, processIdentity } from '../src/node/process-identity.ts';
import { parsePs } from '../src/node/process-table.ts';
import { killProcessTree } from '../src/node/process-tree.ts';
import { type ChildHandle, type SpawnProcessOptions, spawnProcess } from '../src/node/spawn-process.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: SpawnProcessOptions): Promise<ChildHandle> {
  const child = await spawnProcess(options);
  cleanups.push(() => child.kill({ graceMs: 100 }));
  return child;
}

const shell = (script: string): Promise<ChildHandle> => start({ command: '/bin/sh', args: ['-c', script] });
const node = (script: string, ...args: string[]): Promise<ChildHandle> =>
  start({ command: process.execPath, args: ['-e', script, ...args] });

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'wire-'));
  cleanups.push(() => rm(path, { recursive: true }));
  return path;
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Reads the pids a script writes to its stdout, one a line, until there are as many as expected. */
async function pidsFrom(child: ChildHandle, count: number): Promise<number[]> {
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const pids = () => (text.match(/\d+\n/g) ?? []).map(Number);
  await vi.waitFor(() => expect(pids()).toHaveLength(count), { timeout: 60_000 });
  return pids();
}

const areRunning = async (pids: readonly number[]): Promise<boolean[]> =>
  Promise.all(pids.map(async (pid) => (await processIdentity(pid)) !== undefined));

describe('spawnProcess', () => {
  it('gives output, exit code and identity', async () => {
    const child = await shell('cat; echo problem >&2; exit 3');
    expect(await isSameProcess(child.identity)).toBe(true);
    child.stdin.end('hello');
    expect(await textOf(child.stdout)).toBe('hello');
    expect(await child.exited).toEqual({ code: 3, signal: null });
    expect(await textOf(child.stderr)).toBe('problem\n');
    expect(child.stderrTail).toBe('problem\n');
    expect([child.hasExited, await isSameProcess(child.identity)]).toEqual([true, false]);
  });

  it('keeps the output of a child that exited before anybody read', async () => {
    const child = await shell('echo early');
    await child.exited;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await textOf(child.stdout)).toBe('early\n');
  });

  it('makes the child its own group, with exactly the environment and folder given', async () => {
    const cwd = await folder();
    const child = await start({
      command: '/bin/sh',
      args: ['-c', 'echo "$A|$HOME|$PWD"; ps -o pgid= -p $$'],
      cwd,
      env: { A: 'x y', PATH: process.env['PATH'] },
    });
    expect((await textOf(child.stdout)).split('\n').map((line) => line.trim())).toEqual([`x y||${cwd}`, String(child.pid), '']);
  });

  it('passes arguments as arguments', async () => {
    const child = await start({
      command: process.execPath,
      args: ['-p', 'JSON.stringify(process.argv.slice(1))', '--', '$(touch x)', 'a b', '"'],
    });
    expect(JSON.parse(await textOf(child.stdout))).toEqual(['$(touch x)', 'a b', '"']);
  });

  it('names what is missing: the program, its permission, or the folder', async () => {
    const cwd = await folder();
    await writeFile(join(cwd, 'plain'), 'text');
    await expect(spawnProcess({ command: 'no-such-program-here' })).rejects.toMatchObject({
      code: 'not_found',
      issues: [{ path: 'command' }],
    });
    await expect(spawnProcess({ command: join(cwd, 'plain') })).rejects.toMatchObject({ code: 'forbidden', issues: [{ path: 'command' }] });
    await expect(spawnProcess({ command: 'true', cwd: join(cwd, 'gone') })).rejects.toMatchObject({
      code: 'not_found',
      issues: [{ path: 'cwd' }],
    });
    await expect(spawnProcess({ command: 'true', args: ['a\0b'] })).rejects.toMatchObject({ code: 'internal' });
  });

  it('keeps the end of a stderr nobody reads, and never lets the child wait for a reader of it', async () => {
    const child = await node(
      'for (let i = 0; i < 50; i++) require("fs").writeSync(2, "x".repeat(99999) + "\\n"); require("fs").writeSync(2, "the end")',
    );
    expect((await child.exited).code).toBe(0);
    await vi.waitFor(() => expect(child.stderrTail.endsWith('the end')).toBe(true), { timeout: 60_000 });
    expect(child.stderrTail).toHaveLength(16_384);
    expect((await textOf(child.stderr)).length).toBeLessThanOrEqual(1 << 20);
  });

  it('survives writing to a child that is gone', async () => {
    const child = await shell('exit 0');
    await child.exited;
    child.stdin.write('x'.repeat(100_000));
    child.stdin.end();
    await vi.waitFor(() => expect(child.stdin.destroyed).toBe(true), { timeout: 60_000 });
  });

  it('gives empty streams where none were asked for', async () => {
    const child = await start({
      command: '/bin/sh',
      args: ['-c', 'echo out; echo err >&2'],
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    });
    expect([await textOf(child.stdout), await textOf(child.stderr), child.stderrTail]).toEqual(['', '', '']);
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });
});

describe('identities', () => {
  it('tell a process from another with the same pid', async () => {
    const own = await processIdentity(process.pid);
    expect(own).toMatchObject({ pid: process.pid });
    if (!own) return;
    expect(await isSameProcess(own)).toBe(true);
    expect(await isSameProcess({ ...own, startedAt: `${own.startedAt}0` })).toBe(false);
    expect(await processIdentity(2 ** 30)).toBeUndefined();
    expect(await processIdentity(-1)).toBeUndefined();
  });

  it('are read from ps where there is no /proc', () => {
    const text = '    1     0     1 Ss   Thu Nov 20 08:00:00 2025\n  812   811   811 Z+   Fri Nov  1 09:01:02 2025   \nnot a line\n';
    expect(parsePs(text)).toEqual([
      { pid: 1, parentPid: 0, groupId: 1, sessionId: 0, startedAt: 'Thu Nov 20 08:00:00 2025', isZombie: false },
      { pid: 812, parentPid: 811, groupId: 811, sessionId: 0, startedAt: 'Fri Nov  1 09:01:02 2025', isZombie: true },
    ]);
  });
});

/** A program of its own that starts a shell, and prints what that prints. */
const starter = (script: string, more: object = {}): string => {
  const { href } = new URL('../src/node/spawn-process.ts', import.meta.url);
  const options = JSON.stringify({ command: '/bin/sh', args: ['-c', script], ...more });
  return `const { spawnProcess } = await import('${href}'); (await spawnProcess(${options})).stdout.pipe(process.stdout);`;
};
const sources = ['--conditions=agent-relay-source', '--input-type=module', '-e'];

describe.runIf(process.platform === 'linux')('the mark that a process keeps', () => {
  it('keeps no program from starting where somebody has set a limit that it does not fit below', async () => {
    const child = await start({
      command: 'prlimit',
      args: ['--locks=1000:1000', '--', process.execPath, ...sources, starter('echo runs')],
    });
    expect(await textOf(child.stdout)).toBe('runs\n');
  });

  it('is not passed on to what may be another’s', async () => {
    const service = starter('setsid sleep 312 > /dev/null 2>&1 & echo $!', { unmarked: true });
    const child = await start({ command: process.execPath, args: [...sources, service] });
    const [pid = 0] = await pidsFrom(child, 1);
    cleanups.push(() => process.kill(pid, 'SIGKILL'));
    await child.exited;
    expect(await child.kill()).toEqual({ signalled: [], remaining: [] });
    expect(await areRunning([pid])).toEqual([true]);
  });
});

describe('killProcessTree', () => {
  it('ends children and grandchildren, and lets them clean up first', async () => {
    const path = join(await folder(), 'cleaned');
    const child = await shell(`sh -c 'sleep 300 & echo $!; trap "echo done > ${path}; exit 0" TERM; echo $$; wait' & echo $!; wait`);
    const pids = await pidsFrom(child, 3);
    expect(await areRunning(pids)).toEqual([true, true, true]);
    const result = await child.kill();
    expect(result.remaining).toEqual([]);
    expect(result.signalled).toEqual(expect.arrayContaining([child.pid, ...pids]));
    expect(await areRunning([child.pid, ...pids])).toEqual([false, false, false, false]);
    expect(await readFile(path, 'utf8')).toBe('done\n');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('ends a grandchild in a session of its own', async () => {
    const child = await shell('setsid sleep 301 & echo $!; wait');
    const [inner = 0] = await pidsFrom(child, 1);
    await child.kill();
    expect(await areRunning([inner])).toEqual([false]);
  });

  it('finds a daemon that left group and session and whose parents are gone, by its mark', async () => {
    // Node detaches the daemon (setsid) and ends, so that the daemon's parent is the system's first process.
    const child = await node(
      `const d = require('node:child_process').spawn('sleep', ['302'], { detached: true, stdio: 'ignore' }); d.unref(); console.log(d.pid)`,
    );
    const [daemon = 0] = await pidsFrom(child, 1);
    await child.exited;
    expect(await areRunning([daemon])).toEqual([true]);
    const result = await child.kill();
    expect(result.signalled).toEqual([daemon]);
    expect(await areRunning([daemon])).toEqual([false]);
  });

  it('finds one that cleared its environment as well, once its parents are gone', async () => {
    const child = await shell('env -i setsid sh -c "sleep 310 & echo \\$!" < /dev/null');
    const [daemon = 0] = await pidsFrom(child, 1);
    await child.exited;
    expect(await areRunning([daemon])).toEqual([true]);
    const result = await child.kill();
    expect(result).toEqual({ signalled: [daemon], remaining: [] });
    expect(await areRunning([daemon])).toEqual([false]);
  });

  it('remembers a member that nothing but its dead parent told of', async () => {
    const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(process.pid)`;
    const child = await shell(`env -i setsid ${process.execPath} -e "${stubborn}" & wait`);
    const [inner = 0] = await pidsFrom(child, 1);
    const result = await child.kill({ graceMs: 150 });
    expect(result).toEqual({ signalled: expect.arrayContaining([child.pid, inner]), remaining: [] });
    expect(await areRunning([inner])).toEqual([false]);
  });

  it('kills what ignores SIGTERM once its grace has run out', async () => {
    const child = await node(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log(process.pid)`);
    await pidsFrom(child, 1);
    const startedAt = performance.now();
    await child.kill({ graceMs: 150 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(140);
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('ends a tree that starts a new process for each that ends', async () => {
    const child = await node(`
      const { spawn } = require('node:child_process');
      process.on('SIGTERM', () => {});
      const respawn = () => spawn('sleep', ['303'], { detached: true, stdio: 'ignore' }).on('exit', respawn);
      respawn(); respawn(); console.log('ready'); setInterval(() => {}, 1000);`);
    await vi.waitFor(() => expect(child.stdout.readableLength).toBeGreaterThan(0), { timeout: 60_000 });
    const result = await child.kill({ graceMs: 200 });
    expect(result.remaining).toEqual([]);
    expect(result.signalled.length).toBeGreaterThan(3);
    expect(await areRunning(result.signalled)).toEqual(result.signalled.map(() => false));
  });

  it('works from a stored identity, as after a crash', async () => {
    const child = await shell('sleep 304 & echo $!; wait');
    const [inner = 0] = await pidsFrom(child, 1);
    const stored: unknown = JSON.parse(JSON.stringify(child.identity));
    await killProcessTree(stored as typeof child.identity); // what was stored is what is read
    expect(await areRunning([child.pid, inner])).toEqual([false, false]);
  });

  it('leaves alone a process that merely has the pid', async () => {
    const other = await shell('echo $$; exec sleep 305');
    await pidsFrom(other, 1);
    const result = await killProcessTree({ pid: other.pid, startedAt: 'another boot:1', treeId: 'unknown' });
    expect(result).toEqual({ signalled: [], remaining: [] });
    expect(await areRunning([other.pid])).toEqual([true]);
  });

  it('ends a tree given by a bare pid, and does nothing for one that is gone', async () => {
    const child = await shell('sleep 306 & echo $!; wait');
    const [inner = 0] = await pidsFrom(child, 1);
    await killProcessTree(child.pid);
    expect(await areRunning([child.pid, inner])).toEqual([false, false]);
    expect(await killProcessTree(child.pid)).toEqual({ signalled: [], remaining: [] });
  });

  it('ends what one of before left whose number this process has now', async () => {
    const child = await shell('setsid sleep 311 > /dev/null 2>&1 & echo $!');
    const [daemon = 0] = await pidsFrom(child, 1);
    await child.exited;
    const result = await killProcessTree({ ...child.identity, pid: process.pid, startedAt: 'before' });
    expect(result).toEqual({ signalled: [daemon], remaining: [] });
  });

  it('takes an inner tree with the outer one, and leaves the outer one when only the inner is ended', async () => {
    const outer = await node(`setInterval(() => {}, 1000); console.log(process.env.AGENT_RELAY_PROCESS_TREE)`);
    await vi.waitFor(() => expect(outer.stdout.readableLength).toBeGreaterThan(0), { timeout: 60_000 });
    const mark = String(outer.stdout.read()).trim();
    const inner = await start({ command: 'sleep', args: ['307'], env: { ...process.env, AGENT_RELAY_PROCESS_TREE: mark } });
    const second = await start({ command: 'sleep', args: ['308'], env: { ...process.env, AGENT_RELAY_PROCESS_TREE: mark } });
    await inner.kill();
    expect(await areRunning([outer.pid, inner.pid, second.pid])).toEqual([true, false, true]);
    await outer.kill();
    expect(await areRunning([outer.pid, second.pid])).toEqual([false, false]);
  });

  it.each([0, 1, -5, Number.NaN, process.pid])('refuses %d', async (pid) => {
    await expect(killProcessTree(pid)).rejects.toMatchObject({ code: 'validation_failed', issues: [{ path: 'pid' }] });
  });

  it('never ends this process or its ancestors, even when they carry the mark', async () => {
    const result = await killProcessTree(
      { pid: process.ppid, startedAt: (await processIdentity(process.ppid))?.startedAt ?? '' },
      { graceMs: 10, signals: [] },
    );
    expect(result.remaining).not.toContain(process.pid);
    expect(result.remaining).not.toContain(process.ppid);
  });
});

const echoPeer = `
  const lines = require('node:readline').createInterface({ input: process.stdin });
  console.log('Starting up, this is no JSON');
  lines.on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (method === 'exit') { process.stderr.write('giving up'); process.exit(7); }
    console.log(JSON.stringify({ id, result: params }));
  });`;

describe('ndjsonDuplex', () => {
  it('carries a peer over stdin and stdout, and tells of stray lines without answering them', async () => {
    const malformed: string[] = [];
    const child = await node(echoPeer);
    const peer = new JsonRpcPeer(ndjsonDuplex(child, { onMalformed: (text) => malformed.push(text) }), { omitVersion: true });
    const results = await Promise.all(Array.from({ length: 200 }, (_, index) => peer.request('echo', { index, text: 'grüße 🙂' })));
    expect(results).toEqual(Array.from({ length: 200 }, (_, index) => ({ index, text: 'grüße 🙂' })));
    expect(malformed).toEqual(['Starting up, this is no JSON']);
    await peer.close();
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  it('settles what waited when the child exits, and says how it did', async () => {
    const child = await node(echoPeer);
    const peer = new JsonRpcPeer(ndjsonDuplex(child), { omitVersion: true });
    await expect(peer.request('exit')).rejects.toMatchObject({
      code: 'connection_closed',
      details: { reason: 'The process exited with code 7' },
    });
    expect(child.stderrTail).toBe('giving up');
  });

  it('gives the last messages of a child that exits right after them', async () => {
    const child = await shell('echo 1; echo 2; printf 3');
    const messages: unknown[] = [];
    for await (const message of ndjsonDuplex(child).incoming) messages.push(message);
    expect(messages).toEqual([1, 2, 3]);
  });

  it('gives what a grandchild said while this process was too busy to look', async () => {
    const here = await folder();
    const [go, said] = [join(here, 'go'), join(here, 'said')];
    const child = await shell(`(while [ ! -e '${go}' ]; do sleep 0.01; done; echo 2; touch '${said}'; exec sleep 312) & echo 1`);
    const messages: unknown[] = [];
    const duplex = ndjsonDuplex(child);
    duplex.onMessage?.((message) => messages.push(message));
    await child.exited;
    await new Promise((resolve) => setImmediate(resolve));
    // Longer than a silence that would end the link.
    const busyUntil = performance.now() + 500;
    writeFileSync(go, '');
    while (performance.now() < busyUntil || !existsSync(said))
      if (performance.now() > busyUntil + 60_000) throw new Error('the grandchild does not go on');
    await duplex.closed;
    expect(messages).toEqual([1, 2]);
  });

  it('ends although a grandchild holds the pipe open', async () => {
    const child = await shell('sleep 309 & echo 1; exit 4');
    const duplex = ndjsonDuplex(child);
    expect(await duplex.closed).toEqual({ reason: 'The process exited with code 4' });
    await expect(duplex.send(1)).rejects.toMatchObject({ code: 'connection_closed' });
  });

  it('ends a child that does not leave when its stdin ends', async () => {
    const child = await node('setInterval(() => {}, 1000)');
    const duplex = ndjsonDuplex(child, { closeTimeoutMs: 30 });
    await duplex.close();
    expect(await duplex.closed).toEqual({ reason: 'The process was ended by SIGTERM' });
  });

  it('lets a child wait whose messages nobody reads, and loses none, even when it exits meanwhile', async () => {
    const child = await node('for (let i = 0; i < 3000; i++) console.log(JSON.stringify({ i, text: "x".repeat(1000) }))');
    const duplex = ndjsonDuplex(child, { highWaterBytes: 10_000 });
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(child.hasExited).toBe(false);
    let count = 0;
    for await (const message of duplex.incoming) {
      expect(message).toMatchObject({ i: count });
      count += 1;
      // The last of them when the child has exited, and longer than a silence that would end the link.
      if (count === 500 || count === 2_900 || count === 2_950) await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(count).toBe(3_000);
  });

  it('makes the sender wait for a child that does not read, and gives it up when the sender does not wait', async () => {
    const child = await node('setInterval(() => {}, 1000)');
    const duplex = ndjsonDuplex(child, { highWaterBytes: 100_000, maxBufferedBytes: 1_000_000, closeTimeoutMs: 10 });
    let isSent = false;
    const waiting = (async () => {
      for (let count = 0; count < 10; count += 1) await duplex.send('x'.repeat(60_000));
      isSent = true;
    })();
    const outcome = expect(waiting).rejects.toMatchObject({ code: 'overloaded' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([isSent, duplex.bufferedBytes < 400_000]).toEqual([false, true]);
    for (let count = 0; count < 50; count += 1) void duplex.send('x'.repeat(60_000));
    await expect(duplex.send('late')).rejects.toMatchObject({ code: 'overloaded' });
    await outcome;
    await duplex.closed;
    expect(await isSameProcess(child.identity)).toBe(false);
  });
});

describe('ndjsonStreams', () => {
  it('carries JSON lines both ways, and writes everything out before it closes', async () => {
    const [toLeft, toRight] = [new PassThrough(), new PassThrough()];
    const [left, right] = [ndjsonStreams(toLeft, toRight), ndjsonStreams(toRight, toLeft)];
    const reader = left.incoming[Symbol.asyncIterator]();
    void right.send({ to: 'left' });
    expect((await reader.next()).value).toEqual({ to: 'left' });
    for (let count = 0; count < 5; count += 1) void left.send(count);
    await left.close();
    const messages: unknown[] = [];
    for await (const message of right.incoming) messages.push(message);
    expect(messages).toEqual([0, 1, 2, 3, 4]);
    expect([await left.closed, await right.closed]).toEqual([{}, {}]);
    await expect(left.send('late')).rejects.toMatchObject({ code: 'connection_closed' });
    await right.close();
  });

  it('settles a waiting send when the other side ends, although the stream it waits for is stuck', async () => {
    const [readable, stuck] = [new PassThrough(), new PassThrough({ highWaterMark: 1 })];
    const duplex = ndjsonStreams(readable, stuck, { highWaterBytes: 10, closeTimeoutMs: 10 });
    void duplex.send('first');
    const waiting = duplex.send('x'.repeat(1_000));
    readable.end();
    await expect(waiting).rejects.toMatchObject({ code: 'connection_closed' });
    await duplex.close();
  });
});

describe('findExecutable', () => {
  it('finds what PATH would start, in its order, and skips what is no program', async () => {
    const root = await folder();
    const [first, second] = [join(root, 'first'), join(root, 'second')];
    for (const path of [first, second]) await mkdir(path);
    await mkdir(join(first, 'tool'));
    await writeFile(join(first, 'other'), '');
    for (const path of [join(second, 'tool'), join(second, 'other')]) {
      await writeFile(path, '');
      await chmod(path, 0o755);
    }
    const env = { PATH: ['', first, second].join(':') };
    expect(await findExecutable('tool', { env })).toBe(join(second, 'tool'));
    expect(await findExecutable('other', { env })).toBe(join(second, 'other'));
    expect(await findExecutable('missing', { env })).toBeUndefined();
    expect(await findExecutable('', { env })).toBeUndefined();
    expect(await findExecutable('tool', { env: {} })).toBeUndefined();
    expect(await findExecutable('tool', { env: {}, path: [second] })).toBe(join(second, 'tool'));
    expect(await findExecutable('./second/tool', { env: {}, cwd: root })).toBe(join(second, 'tool'));
    expect(await findExecutable(join(second, 'tool'), { env: {} })).toBe(join(second, 'tool'));
  });

  it('tries the endings of PATHEXT on Windows', async () => {
    const root = await folder();
    await writeFile(join(root, 'codex.cmd'), '');
    await writeFile(join(root, 'claude.EXE'), '');
    const env = { Path: `C:\\none;${root}`, PathExt: '.EXE;.CMD' };
    expect(await findExecutable('codex', { env, platform: 'win32' })).toBe(join(root, 'codex.cmd'));
    expect(await findExecutable('claude', { env, platform: 'win32' })).toBe(join(root, 'claude.EXE'));
    expect(await findExecutable('codex.cmd', { env, platform: 'win32' })).toBe(join(root, 'codex.cmd'));
    expect(await findExecutable('gemini', { env, platform: 'win32' })).toBeUndefined();
  });
});
