import { RelayError } from 'agent-relay-protocol';
import { retryWhileRetryable } from 'agent-relay-wire';
import { deliver } from './deliver.ts';
import { listen } from './listen.ts';
import type { WebhookOptions } from './start-options.ts';

export interface WebhookChannel extends AsyncDisposable {
  /** Where posts are taken. */
  readonly url: string;
  /** Settles when the channel is over: null when it was stopped, else why. */
  readonly ended: Promise<RelayError | null>;
  /** Takes no more posts, finishes those in hand and goes offline. What has not been taken outside is sent after the next start. Idempotent. */
  stop(): Promise<void>;
}

/** Becomes the channel, then listens and sends. @throws RelayError when the relay says no; what `listen` says when the port is taken. */
export async function startWebhookChannel(options: WebhookOptions): Promise<WebhookChannel> {
  const { relay, id, deliverTo, log, signal } = options;
  const registration = { id, name: id, transport: 'webhook', direction: deliverTo === null ? 'inbound' : 'both' } as const;
  const channel = await retryWhileRetryable(() => relay.channel(registration), {
    signal,
    onRetry: ({ message }) => log.warn('the relay does not answer, trying again', { error: message }),
  });
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

const endOf = (error: unknown): RelayError =>
  error instanceof RelayError ? error : new RelayError('internal', 'The channel broke', { cause: error });
