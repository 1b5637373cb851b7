import { RelayError } from 'agent-relay-protocol';
import { expect, it } from 'vitest';
import { processIdentity } from '../src/node/process-identity.ts';
import type { ChildHandle } from '../src/node/spawn-process.ts';
import { type StartProcessOptions, startProcess } from '../src/node/start-process.ts';
import { sleep } from '../src/time.ts';

type Start = Partial<StartProcessOptions<string>>;

/** Starts a shell script; what became of it, and whether its process still runs. */
async function outcome(script: string, options: Start = {}) {
  const children: ChildHandle[] = [];
  const started = await startProcess({
    name: 'Parrot',
    command: '/bin/sh',
    args: ['-c', script],
    getReady: () => new Promise(() => {}),
    timeoutMs: 20_000,
    ...options,
    onStart: (child) => {
      children.push(child);
      options.onStart?.(child);
    },
  }).catch((error: unknown) => error);
  const [child] = children;
  return { started, child, isRunning: child !== undefined && (await processIdentity(child.pid)) !== undefined };
}

const refusal = (message: string) => expect.objectContaining({ code: 'provider_unavailable', message });

it('hands on what the program said when it was ready, and leaves the process to its caller', async () => {
  const { started, child, isRunning } = await outcome('sleep 60', { getReady: async ({ pid }) => `ready ${pid}` });
  expect(started).toEqual({ child, ready: `ready ${child?.pid}` });
  expect(isRunning).toBe(true);
  await child?.kill({ graceMs: 100 });
});

it('says how a program ended that did not get ready, with its last words and without their colours', async () => {
  const script = 'for i in 1 2 3 4 5 6; do echo line $i >&2; done; printf "\\033[31mno licence\\033[0m\\n" >&2; exit 3';
  const { started } = await outcome(script);
  expect(started).toEqual(refusal('Parrot did not start: it exited with code 3: line 3\nline 4\nline 5\nline 6\nno licence'));
});

it('whatever looks whether a program is ready stops looking when it has ended', async () => {
  const signals: AbortSignal[] = [];
  const getReady = (_child: ChildHandle, signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>(() => {});
  };
  await outcome('exit 0', { getReady });
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

it('a program that breaks its link and ends is told by its end', async () => {
  const { started } = await outcome('sleep 0.1; kill -9 $$', { getReady: () => Promise.reject(new Error('the link broke')) });
  expect(started).toEqual(refusal('Parrot did not start: it was ended by SIGKILL'));
});

it('ends a program that is not ready in time, and what it started, and tells whoever waits for it', async () => {
  const signals: AbortSignal[] = [];
  const { started, isRunning } = await outcome('trap "" TERM; echo still thinking >&2; sleep 60 & wait', {
    timeoutMs: 300,
    killOptions: { graceMs: 100 },
    getReady: (_child, signal) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  expect(started).toEqual(refusal('Parrot did not start: it was not ready within 0.3 s: still thinking'));
  expect([isRunning, signals.map(({ aborted }) => aborted)]).toEqual([false, [true]]);
});

it('a failure of what makes it ready ends the program and is told', async () => {
  const { started, isRunning } = await outcome('sleep 60', {
    killOptions: { graceMs: 100 },
    getReady: () => Promise.reject(new Error('it speaks another language')),
  });
  expect(started).toEqual(refusal('Parrot did not start: it speaks another language'));
  expect(started).toMatchObject({ cause: new Error('it speaks another language') });
  expect(isRunning).toBe(false);
});

it.each([
  ['before it runs', (): Start => ({ signal: AbortSignal.abort(new Error('changed my mind')) })],
  [
    'as soon as it runs',
    (): Start => {
      const controller = new AbortController();
      return { signal: controller.signal, onStart: () => controller.abort(new Error('changed my mind')) };
    },
  ],
  [
    'while it gets ready',
    (): Start => {
      const controller = new AbortController();
      return {
        signal: controller.signal,
        getReady: async () => {
          await sleep(20);
          controller.abort(new Error('changed my mind'));
          return 'ready';
        },
      };
    },
  ],
])('a start that is given up %s leaves no process and rejects with the reason', async (_when, options) => {
  const { started, isRunning } = await outcome('sleep 60', options());
  expect([started, isRunning]).toEqual([new Error('changed my mind'), false]);
});

it('a fault of whoever is told of the process is theirs, and leaves none', async () => {
  const onStart = () => {
    throw new TypeError('no place to write it down');
  };
  const { started, isRunning } = await outcome('sleep 60', { onStart });
  expect([started, isRunning]).toEqual([new TypeError('no place to write it down'), false]);
});

it('a program that is not there is told as it always is', async () => {
  const { started } = await outcome('', { command: '/nowhere/parrot' });
  expect(started).toBeInstanceOf(RelayError);
  expect(started).toMatchObject({ code: 'not_found' });
});
