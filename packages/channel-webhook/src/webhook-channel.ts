import { RelayError } from 'agent-relay-protocol';
import { backoffDelays, sleep } from 'agent-relay-wire';
import { deliver } from './deliver.ts';
import { listen } from './listen.ts';
import type { StartOptions } from './start-options.ts';

export interface WebhookChannel extends AsyncDisposable {
  /** Where posts are taken. */
  readonly url: string;
  /** Settles when the channel is over: null when it was stopped, else why. */
  readonly ended: Promise<RelayError | null>;
  /** Takes no more posts, finishes those in hand and goes offline. What has not been taken outside is sent after the next start. Idempotent. */
  stop(): Promise<void>;
}

/** Becomes the channel, then listens and sends. @throws RelayError when the relay says no; what `listen` says when the port is taken. */
export async function startWebhookChannel(options: StartOptions): Promise<WebhookChannel> {
  const { relay, id, deliverTo, log, signal } = options;
  const registration = { id, name: id, transport: 'webhook', direction: deliverTo === null ? 'inbound' : 'both' } as const;
  const channel = await waitForRelay(() => relay.channel(registration), options);
  const stopping = new AbortController();
  const listener = await listen({ ...options, channel }).catch(async (error: unknown) => {
    await channel.close();
    throw error;
  });
  const delivering = deliver({ ...options, channel, signal: stopping.signal }).then(
    () => (stopping.signal.aborted ? null : endOf(channel.signal.reason)),
    endOf,
  );
  const stopAll = async () => {
    stopping.abort();
    await listener.close();
    await delivering;
    await channel.close();
  };
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= stopAll();
    return stopped;
  };
  const ended = delivering.then(async (end) => {
    await stop();
    return end;
  });
  if (signal.aborted) void stop();
  log.info('the channel is open', { id, url: listener.url });
  return { url: listener.url, ended, stop, [Symbol.asyncDispose]: stop };
}

async function waitForRelay<Answer>(ask: () => Promise<Answer>, { log, signal }: Pick<StartOptions, 'log' | 'signal'>): Promise<Answer> {
  const delays = backoffDelays();
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof RelayError && error.retryable)) throw error;
      log.warn('the relay does not answer, trying again', { error: error.message });
      await sleep(delays.next().value, { signal });
    }
  }
}

const endOf = (error: unknown): RelayError =>
  error instanceof RelayError ? error : new RelayError('internal', 'The channel broke', { cause: error });
