import { connect } from 'node:net';
import type { HookAnswer, HookQuestion } from './hook-message.ts';

export interface AskOptions {
  readonly door: string;
  /** How long all of it may take; undefined waits as long as the sidecar lives. */
  readonly timeoutMs: number | undefined;
  /** How long a door that is not there yet is waited for. */
  readonly patienceMs: number;
  /** Whether what listens there is this user's. */
  readonly isTrusted: () => boolean;
}

/** What the sidecar says; `absent` when nobody listens there, null when it does not answer in time or goes away. */
export async function askSidecar(
  question: HookQuestion,
  { door, timeoutMs, patienceMs, isTrusted }: AskOptions,
): Promise<HookAnswer | null | 'absent'> {
  const timeout = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const patientUntil = performance.now() + patienceMs;
  for (;;) {
    const outcome = isTrusted() ? await askOnce(question, door, timeout) : 'absent';
    if (outcome !== 'absent') return outcome;
    if (performance.now() >= patientUntil || timeout?.aborted === true) return 'absent';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function askOnce(question: HookQuestion, door: string, signal: AbortSignal | undefined): Promise<HookAnswer | null | 'absent'> {
  return new Promise((resolve) => {
    const socket = connect(door);
    let isConnected = false;
    let text = '';
    const finish = (answer: HookAnswer | null | 'absent') => {
      socket.destroy();
      signal?.removeEventListener('abort', giveUp);
      resolve(answer);
    };
    const giveUp = () => finish(null);
    if (signal?.aborted) return giveUp();
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.setEncoding('utf8');
    socket.once('connect', () => {
      isConnected = true;
      socket.write(`${JSON.stringify(question)}\n`);
    });
    socket.on('data', (piece: string) => {
      text += piece;
    });
    socket.once('end', () => finish(read(text)));
    socket.once('error', () => finish(isConnected ? null : 'absent'));
  });
}

function read(text: string): HookAnswer | null {
  try {
    return JSON.parse(text) as HookAnswer; // the sidecar's own line, through a door that only this user can open
  } catch {
    return null;
  }
}
