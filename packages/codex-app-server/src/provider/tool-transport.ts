import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { RecentMap } from 'agent-relay-wire';

type SendOptions = Parameters<StreamableHTTPClientTransport['send']>[1];

const remembered = 256;

/** Ends the HTTP request of a call that is cancelled, by which the server knows at once that nobody waits for it: the word for it may be passed over. */
export class ToolTransport extends StreamableHTTPClientTransport {
  readonly #asked = new RecentMap<unknown, AbortController>(remembered);

  override async send(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): Promise<void> {
    if (Array.isArray(message) || !('method' in message)) return await super.send(message, options);
    if (!('id' in message)) {
      if (message.method === 'notifications/cancelled') this.#asked.get(message.params?.['requestId'])?.abort();
      return await super.send(message, options);
    }
    const asked = new AbortController();
    this.#asked.set(message.id, asked);
    const signals = options?.requestSignal ? [options.requestSignal, asked.signal] : [asked.signal];
    return await super.send(message, { ...options, requestSignal: AbortSignal.any(signals) });
  }
}
