import { getEventListeners } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { settlesWithin } from 'agent-relay-wire';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeAppServer } from '../../codex-app-server/test/fake-app-server.ts';
import { daemonSocket, runLiveSessions } from '../src/live/live-sessions.ts';

let home: string;
let daemon: FakeAppServer;
let door: ReturnType<typeof createServer>;
let told: string[];
let stopping: AbortController;
let over: Promise<void>;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'codex-live-'));
  const env = { HOME: home, PATH: '' };
  daemon = await FakeAppServer.start();
  const { endpoint } = daemon;
  if (endpoint.transport !== 'websocket') throw new Error('a fake listens on a WebSocket');
  const port = Number(new URL(endpoint.url).port);
  door = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.pipe(other);
      one.on('error', () => {}); // a daemon that is gone is what this is for
      one.once('close', () => other.destroy());
    }
  });
  mkdirSync(dirname(daemonSocket(env)), { recursive: true });
  await new Promise<void>((resolve) => door.listen(daemonSocket(env), resolve));
  told = [];
  stopping = new AbortController();
  over = runLiveSessions({ env, tell: (sentence) => told.push(sentence), signal: stopping.signal });
});

afterEach(async () => {
  stopping.abort();
  await over;
  await daemon[Symbol.asyncDispose]();
  await new Promise((resolve) => door.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

test('live that is stopped while Codex’s daemon stands still ends', async () => {
  daemon.answer('thread/loaded/list', () => new Promise(() => {}));
  await expect.poll(() => daemon.methods()).toContain('thread/loaded/list');
  stopping.abort();
  expect(await settlesWithin(over, 20_000)).toBe(true);
});

test('live whose daemon goes away while it is asked about a conversation waits for the next daemon', async () => {
  daemon.answer('thread/loaded/list', () => ({ data: [] }));
  daemon.answer('thread/read', () => new Promise(() => {}));
  await expect.poll(() => daemon.methods()).toContain('thread/loaded/list');
  daemon.notify('thread/status/changed', { threadId: daemon.threadId, status: { type: 'active' } });
  await expect.poll(() => daemon.methods()).toContain('thread/read');
  await daemon.goAway();
  await expect.poll(() => told.at(-1)).toContain('No Codex daemon answers');
  // While it waits for the next; of the daemon that is gone nothing is left.
  await expect.poll(() => getEventListeners(stopping.signal, 'abort').length).toBe(1);
  await daemon.comeBack();
  await expect.poll(() => told.at(-1)).toContain('are agents now');
});
