import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { WebSocket } from 'ws';
import { AgentBridge, type AgentBridgeOptions } from '../src/agent-bridge.ts';
import { ScriptedProvider } from './scripted-provider.ts';

export type Frame = Readonly<Record<string, unknown>>;

const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Runs after the test, the last one first. */
export const later = (cleanUp: () => Promise<unknown>): void => void cleanUps.push(cleanUp);

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-bridge-test-'));
  later(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}

/** A bridge on a free port over scripted agents. */
export async function startBridge(options: AgentBridgeOptions = {}) {
  const folder = await tempFolder();
  const claude = new ScriptedProvider('claude');
  const codex = new ScriptedProvider('codex');
  const sessionDir = join(folder, 'sessions');
  const bridge = new AgentBridge({ port: 0, host: '127.0.0.1', sessionDir, cwd: folder, providers: [claude, codex], ...options });
  later(() => bridge.stop());
  const { url, port } = await bridge.start();
  return { bridge, url, port, claude, codex, folder, sessionDir };
}

export interface Client {
  readonly socket: WebSocket;
  readonly frames: Frame[];
  send(frame: unknown): void;
  /** The first frame that fits and has not been waited for, within a minute. */
  next(fits: (frame: Frame) => boolean): Promise<Frame>;
  /** The end of a prompt. */
  end(requestId: string): Promise<Frame>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export async function connect(url: string, options: ConstructorParameters<typeof WebSocket>[2] = {}): Promise<Client> {
  const socket = new WebSocket(url, options);
  const frames: Frame[] = [];
  const waiting = new Set<() => void>();
  socket.on('message', (data) => {
    frames.push(JSON.parse(String(data)) as Frame);
    for (const look of waiting) look();
  });
  socket.on('error', () => {});
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  later(async () => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve).once('close', resolve));
  const seen = new Set<Frame>();
  const next = (fits: (frame: Frame) => boolean) =>
    new Promise<Frame>((resolve, reject) => {
      let looked = 0;
      const timer = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`No such frame came: ${JSON.stringify(frames).slice(0, 1000)}`));
      }, 60_000);
      const look = () => {
        let found: Frame | undefined;
        for (; looked < frames.length && !found; looked++) {
          const frame = frames[looked];
          if (frame && !seen.has(frame) && fits(frame)) found = frame;
        }
        if (!found) return;
        seen.add(found);
        clearTimeout(timer);
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return {
    socket,
    frames,
    closed,
    next,
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    end: (requestId) => next(({ type, requestId: id }) => id === requestId && (type === 'complete' || type === 'error')),
  };
}
