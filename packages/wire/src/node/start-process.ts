import { RelayError } from 'agent-relay-protocol';
import { asError } from '../message-duplex.ts';
import { settlesWithin, sleep, withTimeout } from '../time.ts';
import { howItEnded, lastWords } from './last-words.ts';
import type { KillTreeOptions } from './process-tree.ts';
import { type ChildHandle, type SpawnProcessOptions, spawnProcess } from './spawn-process.ts';

export interface StartProcessOptions<T> extends SpawnProcessOptions {
  /** What people call the program: refusals begin with it. */
  readonly name: string;
  /** Told of the process as soon as it runs. */
  readonly onStart?: ((child: ChildHandle) => void) | undefined;
  /**
   * Says hello, or looks until the program can be used; what it resolves with is handed on. `signal` aborts at the deadline, when the start is given
   * up, and when the process has ended.
   */
  readonly getReady: (child: ChildHandle, signal: AbortSignal) => Promise<T>;
  readonly timeoutMs: number;
  /** Gives the start up, and is no concern of the process once it is ready. */
  readonly signal?: AbortSignal | undefined;
  /** How a process that did not get ready is ended. */
  readonly killOptions?: KillTreeOptions;
}

/** A process that is ready to be used. Who started it ends it. */
export interface StartedProcess<T> {
  readonly child: ChildHandle;
  readonly ready: T;
}

/** Its last output, and the news of its exit, may come one after the other. */
const quietMs = 250;

/**
 * Starts a process and resolves once it is ready. Whatever fails, no process is left.
 * @throws RelayError `provider_unavailable` when it ended, was not ready in time, or `getReady` failed, with its last words; the signal's reason;
 * what `spawnProcess` and `onStart` throw.
 */
export async function startProcess<T>(options: StartProcessOptions<T>): Promise<StartedProcess<T>> {
  const { name, onStart, getReady, timeoutMs, signal, killOptions, ...spawn } = options;
  signal?.throwIfAborted();
  const child = await spawnProcess(spawn);
  try {
    onStart?.(child);
  } catch (error) {
    await child.kill(killOptions);
    throw error;
  }
  const over = new AbortController();
  try {
    const work = (inTime: AbortSignal) => {
      // One signal of our own: what is aborted here is seen at once by whoever holds it.
      const forward = () => over.abort(inTime.reason);
      if (inTime.aborted) forward();
      else inTime.addEventListener('abort', forward, { once: true });
      return Promise.race([getReady(child, over.signal), endOf(child)]);
    };
    return { child, ready: await withTimeout(work, timeoutMs, { signal }) };
  } catch (error) {
    over.abort(error);
    const what = signal?.aborted ? '' : await whatHappened(child, error, timeoutMs);
    await child.kill(killOptions);
    signal?.throwIfAborted();
    // Read only now: what it said on its way out belongs to it.
    const words = lastWords(child);
    throw new RelayError('provider_unavailable', `${name} did not start: ${what}${words === '' ? '' : `: ${words}`}`, { cause: error });
  }
}

async function endOf(child: ChildHandle): Promise<never> {
  await child.exited;
  await sleep(quietMs);
  throw new RelayError('connection_closed', 'The process has ended');
}

async function whatHappened(child: ChildHandle, error: unknown, timeoutMs: number): Promise<string> {
  if (error instanceof RelayError && error.code === 'timeout') return `it was not ready within ${timeoutMs / 1000} s`;
  // A program that closed its output, or broke its link, is about to say how it ended.
  if (await settlesWithin(child.exited, quietMs * 2)) return `it ${howItEnded(await child.exited)}`;
  return asError(error).message;
}
