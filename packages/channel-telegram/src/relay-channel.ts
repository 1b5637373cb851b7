import { listAll, type RelayClient } from 'agent-relay-client';
import { type Log, retryWhileRetryable } from 'agent-relay-wire';
import type { ChannelPort } from './channel-port.ts';

export interface ConnectOptions {
  readonly channelId: string;
  readonly log: Log;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** Becomes the channel at the relay; waits for a relay that is away. @throws RelayError when it says no, or the signal's reason. */
export async function connectChannel(relay: RelayClient, { channelId, log, signal }: ConnectOptions): Promise<ChannelPort> {
  const registration = { id: channelId, name: channelId, transport: 'telegram', direction: 'both' } as const;
  const channel = await retryWhileRetryable(() => relay.channel(registration), {
    signal,
    onRetry: (error) => log.warn('the relay cannot be reached, trying again', { error }),
  });
  return {
    id: channel.id,
    signal: channel.signal,
    receive: (text) => channel.receive(text),
    outgoing: (options) => channel.outgoing(options),
    bind: (request) => channel.bind(request),
    unbind: (bindingId) => channel.unbind({ bindingId }),
    bindings: async () => (await relay.channels.get({ id: channel.id })).bindings,
    agents: async () => (await listAll(relay.agents.list, {})).data,
    close: () => channel.close(),
  };
}
