import { RelayError } from 'agent-relay-protocol';
import { type JsonRpcPeer, sleep } from 'agent-relay-wire';
import type { LivenessOptions } from './options.ts';

/** Asks the relay again and again whether it is there, for as long as the connection lives, and ends a connection on which it does not answer. */
export async function watchLiveness(
  peer: Pick<JsonRpcPeer, 'request' | 'close' | 'closed'>,
  { everyMs = 1_000, quietAfterMs = 1_000, cutAfterMs = 8_000, onQuiet = () => {} }: LivenessOptions,
): Promise<void> {
  const ended = new AbortController();
  void peer.closed.then(() => ended.abort());
  let isQuiet = false;
  const say = (next: boolean) => {
    if (next !== isQuiet) onQuiet(next);
    isQuiet = next;
  };
  while (!ended.signal.aborted) {
    const timer = setTimeout(() => say(true), quietAfterMs);
    const answered = await isAnswered(peer, cutAfterMs);
    clearTimeout(timer);
    if (ended.signal.aborted) break;
    if (!answered) {
      await peer.close();
      break;
    }
    say(false);
    await sleep(everyMs, { signal: ended.signal });
  }
  say(false);
}

/** Any answer will do, a refusal too. */
async function isAnswered(peer: Pick<JsonRpcPeer, 'request'>, timeoutMs: number): Promise<boolean> {
  try {
    await peer.request('system/version', {}, { timeoutMs });
    return true;
  } catch (error) {
    return !(error instanceof RelayError && error.code === 'timeout');
  }
}
